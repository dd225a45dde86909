package relational

import (
	"encoding/json"
	"fmt"
	"time"
)

// micros is how a time stands in a column: microseconds since 1970 in UTC, NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func microsOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return micros(*t)
}

// jsonText is how a list or an object stands in a column, NULL for nil.
func jsonText(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal column: %w", err)
	}
	if string(raw) == "null" {
		return nil, nil
	}
	return string(raw), nil
}

// The types below scan columns back into fields.

type toTime struct{ dst *time.Time }

func (c toTime) Scan(src any) error {
	switch x := src.(type) {
	case nil:
		*c.dst = time.Time{}
	case int64:
		*c.dst = time.UnixMicro(x).UTC()
	default:
		return fmt.Errorf("scan time: column holds a %T", src)
	}
	return nil
}

type toOptionalTime struct{ dst **time.Time }

func (c toOptionalTime) Scan(src any) error {
	if src == nil {
		*c.dst = nil
		return nil
	}
	var t time.Time
	err := toTime{&t}.Scan(src)
	if err != nil {
		return err
	}
	*c.dst = &t
	return nil
}

type toText[S ~string] struct{ dst *S }

func (c toText[S]) Scan(src any) error {
	switch x := src.(type) {
	case nil:
		*c.dst = ""
	case string:
		*c.dst = S(x)
	default:
		return fmt.Errorf("scan text: column holds a %T", src)
	}
	return nil
}

type toJSON struct{ dst any }

func (c toJSON) Scan(src any) error {
	switch x := src.(type) {
	case nil:
		return nil
	case string:
		err := json.Unmarshal([]byte(x), c.dst)
		if err != nil {
			return fmt.Errorf("scan JSON: %w", err)
		}
		return nil
	}
	return fmt.Errorf("scan JSON: column holds a %T", src)
}
