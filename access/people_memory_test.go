package access

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// memoryPeople keeps people, tokens and broken glass as records promises to.
type memoryPeople struct {
	mu     sync.Mutex
	people map[casefile.Person]records.PersonRow
	tokens map[string]records.TokenRow
	glass  []records.BreakGlass
	puts   int
	down   bool
	// disabled is called, unlocked, right after somebody was disabled.
	disabled func(casefile.Person)
}

var (
	_ records.Guarded = (*memoryPeople)(nil)
	_ People          = (*memoryPeople)(nil)
)

func newMemoryPeople() *memoryPeople {
	return &memoryPeople{people: map[casefile.Person]records.PersonRow{}, tokens: map[string]records.TokenRow{}}
}

var (
	errMissing = casefile.Errorf(casefile.CodeNotFound, "no such row")
	errDown    = casefile.Errorf(casefile.CodeUnavailable, "down")
)

func (m *memoryPeople) PutPerson(_ context.Context, p records.PersonRow, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.people {
		if other.Login == p.Login && other.Person != p.Person {
			return casefile.Errorf(casefile.CodeConflict, "the login is taken")
		}
	}
	m.puts++
	m.people[p.Person] = p
	return nil
}

func (m *memoryPeople) Person(_ context.Context, id casefile.Person) (records.PersonRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.people[id]
	if !ok {
		return records.PersonRow{}, errMissing
	}
	return p, nil
}

func (m *memoryPeople) PersonByLogin(_ context.Context, login string) (records.PersonRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.people {
		if p.Login == login {
			return p, nil
		}
	}
	return records.PersonRow{}, errMissing
}

func (m *memoryPeople) PutToken(_ context.Context, t records.TokenRow) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return errDown
	}
	m.tokens[t.Hash] = t
	return nil
}

func (m *memoryPeople) live(hash string, kind records.TokenKind, now time.Time) (records.TokenRow, records.PersonRow, error) {
	t, ok := m.tokens[hash]
	p := m.people[t.Person]
	if !ok || t.Kind != kind || t.Revoked || t.UsedAt != nil || !now.Before(t.ExpiresAt) || !p.Active {
		return records.TokenRow{}, records.PersonRow{}, errMissing
	}
	return t, p, nil
}

func (m *memoryPeople) Token(_ context.Context, hash string, kind records.TokenKind, now time.Time) (records.TokenRow, records.PersonRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return records.TokenRow{}, records.PersonRow{}, errDown
	}
	return m.live(hash, kind, now)
}

func (m *memoryPeople) UseLogin(_ context.Context, hash string, now time.Time) (records.PersonRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, p, err := m.live(hash, records.TokenLogin, now)
	if err != nil {
		return records.PersonRow{}, err
	}
	t.UsedAt = &now
	m.tokens[hash] = t
	return p, nil
}

func (m *memoryPeople) RevokeToken(_ context.Context, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tokens[hash]
	if ok {
		t.Revoked = true
		m.tokens[hash] = t
	}
	return nil
}

func (m *memoryPeople) ListPeople(context.Context) ([]records.PersonRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	all := slices.Collect(maps.Values(m.people))
	slices.SortFunc(all, func(a, b records.PersonRow) int { return strings.Compare(a.Login, b.Login) })
	return all, nil
}

func (m *memoryPeople) SetActive(_ context.Context, person casefile.Person, active bool, _ casefile.Actor, _ time.Time) error {
	m.mu.Lock()
	p, ok := m.people[person]
	if ok {
		p.Active = active
		m.people[person] = p
		if !active {
			m.revoke(person)
		}
	}
	told := m.disabled
	m.mu.Unlock()
	if !ok {
		return errMissing
	}
	if !active && told != nil {
		told(person)
	}
	return nil
}

func (m *memoryPeople) revoke(person casefile.Person, kinds ...records.TokenKind) {
	for hash, t := range m.tokens {
		if t.Person == person && (len(kinds) == 0 || slices.Contains(kinds, t.Kind)) {
			t.Revoked = true
			m.tokens[hash] = t
		}
	}
}

func (m *memoryPeople) RevokeTokens(_ context.Context, person casefile.Person, kinds ...records.TokenKind) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return errDown
	}
	m.revoke(person, kinds...)
	return nil
}

func (m *memoryPeople) PutBreakGlass(_ context.Context, b records.BreakGlass) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return errDown
	}
	m.glass = append(m.glass, b)
	return nil
}

func (m *memoryPeople) BreakGlasses(_ context.Context, open bool, limit int) ([]records.BreakGlass, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	var out []records.BreakGlass
	for _, b := range slices.Backward(m.glass) {
		if (!open || b.ReviewedAt == nil) && len(out) < limit {
			out = append(out, b)
		}
	}
	return out, nil
}

func (m *memoryPeople) LiveBreakGlass(_ context.Context, person casefile.Person, ref casefile.CaseRef, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return false, errDown
	}
	return slices.ContainsFunc(m.glass, func(b records.BreakGlass) bool {
		return b.Person == person && b.Case == ref && !now.Before(b.At) && now.Before(b.Until)
	}), nil
}

func (m *memoryPeople) ReviewBreakGlass(_ context.Context, id string, by casefile.Actor, justified bool, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.glass, func(b records.BreakGlass) bool { return b.ID == id })
	switch {
	case i < 0:
		return errMissing
	case m.glass[i].Person == by.Person:
		return casefile.Errorf(casefile.CodeForbidden, "one's own")
	case m.glass[i].ReviewedAt != nil:
		return casefile.Errorf(casefile.CodeState, "reviewed before")
	}
	m.glass[i].ReviewedBy, m.glass[i].ReviewedAt, m.glass[i].Justified = by.Person, &now, justified
	return nil
}

func (m *memoryPeople) deactivate(id casefile.Person) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.people[id]
	p.Active = false
	m.people[id] = p
}

func (m *memoryPeople) stored() []records.TokenRow {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []records.TokenRow
	for _, t := range m.tokens {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b records.TokenRow) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type testAccess struct {
	*Access
	people *memoryPeople
	clock  *testClock
	by     map[string]casefile.Person // demo people by login
}

func newTestAccess(t testing.TB) testAccess {
	t.Helper()
	people, clock := newMemoryPeople(), &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	a := testAccess{New(people, Options{Clock: clock.Now, Guarded: people}), people, clock, map[string]casefile.Person{}}
	rows, err := a.EnsurePeople(t.Context(), DemoPeople())
	require.NoError(t, err)
	for _, r := range rows {
		a.by[r.Login] = r.Person
	}
	return a
}

// who is a demo person as a request would recognise them.
func (a testAccess) who(t testing.TB, login string) Who {
	t.Helper()
	row, err := a.people.Person(t.Context(), a.by[login])
	require.NoError(t, err)
	return whoOf(row)
}

func (a testAccess) login(t testing.TB, login string) Login {
	t.Helper()
	code, err := a.NewLoginLink(t.Context(), login)
	require.NoError(t, err)
	l, err := a.UseLogin(t.Context(), code)
	require.NoError(t, err)
	return l
}

func requireCode(t testing.TB, want casefile.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, casefile.ErrorCode(err), err.Error())
}
