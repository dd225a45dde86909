package postgres

import (
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-triage/docket/casefile"
)

// settings are given to the server for each connection unless the URL sets them.
var settings = map[string]string{
	"application_name": "docket",
	"lock_timeout":     lockTimeout.String(),
	// A process that hangs in the middle of a write must not hold its locks for ever.
	"idle_in_transaction_session_timeout": "60s",
	// Every statement on the way of flags and reviewers has an index. Of a young table the planner has no
	// statistics, and would read it whole; and a serial write that does is in everybody's way.
	"enable_seqscan": "off",
	// Compiling takes longer than any statement of ours.
	"jit": "off",
}

// parse reads a database's URL. Its errors say nothing of what stands in it: it holds a password,
// and where a URL is broken nobody can tell which part.
func parse(text string) (*pgx.ConnConfig, error) {
	rest, ok := strings.CutPrefix(text, "postgres://")
	if !ok {
		rest, ok = strings.CutPrefix(text, "postgresql://")
	}
	if !ok {
		return nil, casefile.Invalid("url", "required: postgres://user:password@host/database")
	}
	// A password with one of these characters in it would end the part that it stands in, and the rest
	// of it would be taken for a host, a database or a setting, which errors and logs do show.
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		return nil, casefile.Invalid("url", `an "@" after the host: in a user, a password or a setting, write "/", "?", "#" and "@" as %%2F, %%3F, %%23 and %%40`)
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, casefile.Invalid("url", "not a PostgreSQL URL, or one with an unknown setting or a missing file")
	}
	for name, value := range settings {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	// The peer of an idle connection that is gone without a word is noticed within half a minute.
	dialer := net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	config.DialFunc = dialer.DialContext
	return config, nil
}
