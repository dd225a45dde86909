package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	personColumns = "person, login, name, roles, team, active"
	selectPerson  = "SELECT " + personColumns + " FROM people WHERE person = ?"
)

func scanPerson(r scanner) (records.PersonRow, error) {
	var p records.PersonRow
	err := r.Scan(&p.Person, &p.Login, &p.Name, toJSON{&p.Roles}, &p.Team, &p.Active)
	return p, err
}

// PutPerson writes or changes a person. A new person, and any change of roles or of being active,
// also gets a row of the ledger outbox, with roles and pseudonym. CodeConflict when another person
// has the login.
func (s *Store) PutPerson(ctx context.Context, p records.PersonRow, now time.Time) error {
	switch {
	case p.Person == "":
		return casefile.Invalid("person", "required")
	case p.Login == "":
		return casefile.Invalid("login", "required")
	}
	roles, err := jsonText(append([]casefile.Role{}, p.Roles...))
	if err != nil {
		return err
	}
	err = exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		old, err := one(ctx, t, scanPerson, selectPerson, p.Person)
		fresh := errors.Is(err, sql.ErrNoRows)
		if err != nil && !fresh {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO people (person, login, name, roles, team, active) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (person) DO UPDATE SET login = excluded.login, name = excluded.name, roles = excluded.roles,
				team = excluded.team, active = excluded.active`, p.Person, p.Login, p.Name, roles, p.Team, bit(p.Active))
		if t.fault(err) == FaultTaken {
			return casefile.Errorf(casefile.CodeConflict, "another person has this login")
		}
		if err != nil {
			return err
		}
		if !fresh && slices.Equal(old.Roles, p.Roles) && old.Active == p.Active {
			return nil
		}
		body, err := json.Marshal(map[string]any{"person": p.Person, "roles": append([]casefile.Role{}, p.Roles...), "active": p.Active})
		if err != nil {
			return fmt.Errorf("marshal ledger body: %w", err)
		}
		return t.putOutbox(ctx, records.OutboxEntry{Type: casefile.EntryPeople, Actor: casefile.System, Body: body, At: now})
	})
	return s.coded(ctx, "put person", err)
}

// bit is how a boolean stands in a column.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Person returns a person; CodeNotFound if there is none.
func (s *Store) Person(ctx context.Context, id casefile.Person) (records.PersonRow, error) {
	p, err := one(ctx, s.engine, scanPerson, selectPerson, id)
	return p, s.coded(ctx, "read person", missing(err, "person"))
}

// PersonByLogin returns the person who has the login; CodeNotFound if there is none.
func (s *Store) PersonByLogin(ctx context.Context, login string) (records.PersonRow, error) {
	p, err := one(ctx, s.engine, scanPerson, "SELECT "+personColumns+" FROM people WHERE login = ?", login)
	return p, s.coded(ctx, "read person", missing(err, "person"))
}

// ListPeople lists everyone, in order of logins.
func (s *Store) ListPeople(ctx context.Context) ([]records.PersonRow, error) {
	list, err := all(ctx, s.engine, scanPerson, "SELECT "+personColumns+" FROM people ORDER BY login")
	return list, s.coded(ctx, "list people", err)
}
