package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// system brings the outbox up to the log's system chain, so that its numberer goes on behind it, and sets
// switches and people as the log has them last.
func (m *Mover) system(ctx context.Context, l *logged, moved *Moved) error {
	head, _, err := m.Records.OutboxHead(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the system chain: %w", err)
	}
	// The rows that wait were written before the backup: some came into the log since.
	for _, e := range l.system {
		if e.seq <= head {
			continue
		}
		err = m.outboxRow(ctx, e)
		if err != nil {
			return fmt.Errorf("note %s: %w", e.Event, err)
		}
		if e.Type == casefile.EntryHold {
			moved.Holds++
		}
	}
	err = m.switches(ctx, l, head)
	if err != nil {
		return fmt.Errorf("set the switches: %w", err)
	}
	err = m.people(ctx, l, head)
	if err != nil {
		return fmt.Errorf("switch people off: %w", err)
	}
	return nil
}

// outboxRow has an entry of the log stand in the outbox under its number: the row that it came from, or one
// of its own.
func (m *Mover) outboxRow(ctx context.Context, e systemEntry) error {
	data, err := casefile.Canonical(e.Entry)
	if err != nil {
		return err
	}
	id, err := m.waiting(ctx, e)
	if err != nil {
		return err
	}
	if id == 0 {
		err = m.Records.PutOutbox(ctx, records.OutboxEntry{Type: e.Type, Actor: e.Actor, Body: e.Body, At: e.at, Key: "restored." + string(e.Event)})
		if err != nil {
			return err
		}
		id, err = m.waiting(ctx, e)
		if err != nil {
			return err
		}
	}
	row, err := m.Records.FixOutbox(ctx, id, e.seq, data)
	if err != nil {
		return err
	}
	if !bytes.Equal(row.Fixed, data) {
		return casefile.Errorf(casefile.CodeConflict, "the outbox has other bytes under this number")
	}
	return m.Records.AppendedOutbox(ctx, id, e.index)
}

// waiting finds the row without a number that an entry came from; 0 for none.
func (m *Mover) waiting(ctx context.Context, e systemEntry) (int64, error) {
	for limit := page; ; limit *= 2 {
		rows, err := m.Records.Unappended(ctx, limit)
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			if r.Seq != 0 || r.Type != e.Type || r.Actor != e.Actor || !r.At.Equal(e.at) {
				continue
			}
			same, err := sameJSON(r.Body, e.Body)
			if err != nil {
				return 0, err
			}
			if same {
				return r.ID, nil
			}
		}
		if len(rows) < limit {
			return 0, nil
		}
	}
}

func sameJSON(a, b []byte) (bool, error) {
	x, err := casefile.Canonical(json.RawMessage(a))
	if err != nil {
		return false, err
	}
	y, err := casefile.Canonical(json.RawMessage(b))
	return bytes.Equal(x, y), err
}

// switches sets each switch as the log has it last behind what the records know. The words of why are not in
// the log.
func (m *Mover) switches(ctx context.Context, l *logged, head int) error {
	have, err := m.Records.Switches(ctx)
	if err != nil {
		return err
	}
	at := map[string]records.SwitchRow{}
	for _, s := range have {
		at[s.Name] = s
	}
	for name, s := range l.switches {
		row, set := at[name]
		on := name != records.SwitchAutomation
		if set {
			on = row.On
		}
		if on == s.on || s.seq <= head {
			continue
		}
		err = m.Records.SetSwitch(ctx, records.SwitchRow{Name: name, On: s.on, By: s.by, At: s.at})
		if err != nil {
			return err
		}
	}
	return nil
}

// people switches off whoever was switched off since.
func (m *Mover) people(ctx context.Context, l *logged, head int) error {
	have, err := m.Records.ListPeople(ctx)
	if err != nil {
		return err
	}
	for _, p := range have {
		said, ok := l.people[p.Person]
		if !ok || said.active || !p.Active || said.seq <= head {
			continue
		}
		err = m.Records.SetActive(ctx, p.Person, false, casefile.System, m.Now())
		if err != nil {
			return err
		}
	}
	return nil
}
