package relational

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// putEntry puts an entry of the system chain in the ledger outbox.
func (t *tx) putEntry(ctx context.Context, kind casefile.EntryType, by casefile.Actor, body map[string]any, at time.Time) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("marshal ledger body: %w", err)
	}
	return t.putOutbox(ctx, records.OutboxEntry{Type: kind, Actor: by, Body: raw, At: at})
}

func scanSwitch(r scanner) (records.SwitchRow, error) {
	var x records.SwitchRow
	err := r.Scan(&x.Name, &x.On, &x.By.Person, &x.By.Role, toTime{&x.At}, &x.Reason)
	return x, err
}

const switchColumns = "name, is_on, by_person, by_role, at, reason"

func checkSwitch(x records.SwitchRow) error {
	platform, ofPlatform := strings.CutPrefix(x.Name, records.ActsOf(""))
	switch {
	case x.Name != records.SwitchActs && x.Name != records.SwitchAutomation && !(ofPlatform && casefile.ValidPlatform(platform)):
		return casefile.Invalid("name", "no such switch: acts, acts/ and a platform, or automation")
	case x.At.IsZero():
		return casefile.Invalid("at", "required")
	}
	return nil
}

// SetSwitch sets a switch and writes the ledger outbox row of it, in one transaction. One that was set
// so before is left as it is: the first word stands, and nothing goes on the ledger twice. It waits
// for every act that is being begun; once it has answered for a switch of acts set to off, none begins.
func (s *Store) SetSwitch(ctx context.Context, x records.SwitchRow) error {
	err := checkSwitch(x)
	if err != nil {
		return err
	}
	err = execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "INSERT INTO switches (name, is_on) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", x.Name, bit(x.Name != records.SwitchAutomation))
		if err != nil {
			return err
		}
		n, err := t.changed(ctx, `UPDATE switches SET is_on = ?1, by_person = ?2, by_role = ?3, at = ?4, reason = ?5
			WHERE name = ?6 AND (at IS NULL OR is_on <> ?1)`, bit(x.On), x.By.Person, x.By.Role, micros(x.At), x.Reason, x.Name)
		if err != nil || n == 0 {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeSwitch, ID: x.Name})
		return t.putEntry(ctx, casefile.EntrySwitch, x.By, map[string]any{"switch": x.Name, "on": x.On}, x.At)
	})
	return s.coded(ctx, "set switch", err)
}

// Switches lists those that were ever set, in order of their names.
func (s *Store) Switches(ctx context.Context) ([]records.SwitchRow, error) {
	list, err := all(ctx, s.engine, scanSwitch, "SELECT "+switchColumns+" FROM switches WHERE at IS NOT NULL ORDER BY name")
	return list, s.coded(ctx, "list switches", err)
}

// requireActsOn locks the switches that cover a decision's platform until the transaction ends, and is
// CodePaused while one of them is off. The rows that are missing are made first: what is not there
// cannot be locked.
func (t *tx) requireActsOn(ctx context.Context, decision string) error {
	platform, err := one(ctx, t, scanText[string], "SELECT c.platform FROM decisions d JOIN cases c ON c.ref = d.case_ref WHERE d.id = ?", decision)
	if err != nil {
		return missing(err, "decision")
	}
	all, one := records.SwitchActs, records.ActsOf(platform)
	list, err := t.lockSwitches(ctx, all, one)
	if err != nil {
		return err
	}
	if len(list) < 2 {
		_, err = t.Exec(ctx, "INSERT INTO switches (name, is_on) VALUES (?, 1), (?, 1) ON CONFLICT (name) DO NOTHING", all, one)
		if err != nil {
			return err
		}
		list, err = t.lockSwitches(ctx, all, one)
		if err != nil {
			return err
		}
	}
	for _, x := range list {
		if !x.On {
			return casefile.Errorf(casefile.CodePaused, "acts are paused: the switch %s is off", x.Name)
		}
	}
	return nil
}

func (t *tx) lockSwitches(ctx context.Context, names ...any) ([]records.SwitchRow, error) {
	return all(ctx, t, scanSwitch, "SELECT "+switchColumns+" FROM switches WHERE name IN (?, ?) ORDER BY name /*postgres: FOR SHARE*/", names...)
}
