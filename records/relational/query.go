package relational

import (
	"context"
	"database/sql"
	"fmt"
)

type scanner interface {
	Scan(dst ...any) error
}

// one reads one row; sql.ErrNoRows if there is none.
func one[T any](ctx context.Context, q Querier, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	var zero T
	list, err := all(ctx, q, scan, text, args...)
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, sql.ErrNoRows
	}
	return list[0], nil
}

// all reads every row.
func all[T any](ctx context.Context, q Querier, scan func(scanner) (T, error), text string, args ...any) (list []T, err error) {
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		closeErr := rows.Close()
		if err == nil && closeErr != nil {
			list, err = nil, closeErr
		}
	}()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan row: %w", err)
		}
		list = append(list, v)
	}
	err = rows.Err()
	if err != nil {
		return nil, err
	}
	return list, nil
}

func scanInt(r scanner) (int, error) {
	var n int
	err := r.Scan(&n)
	return n, err
}

func scanText[S ~string](r scanner) (S, error) {
	var s S
	err := r.Scan(toText[S]{&s})
	return s, err
}

// placeholders is "?, ?, ..." for a list of n.
func placeholders(n int) string {
	if n == 0 {
		return ""
	}
	b := make([]byte, 0, 3*n)
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '?')
	}
	return string(b)
}
