package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Role is one of the five parts that a process may be.
type Role string

// The roles.
const (
	RoleDetect  Role = "detect"
	RoleServe   Role = "serve"
	RoleWork    Role = "work"
	RoleEnforce Role = "enforce"
	RoleLedger  Role = "ledger"
)

// Roles are all of them.
var Roles = []Role{RoleDetect, RoleServe, RoleWork, RoleEnforce, RoleLedger}

// Check says what keeps a role from working with the configuration, all of it at once, as
// casefile.Faults of CodeInvalid. It opens nothing: files and addresses may still not be there.
func (c Config) Check(role Role) error {
	k := &checker{c: c}
	k.everybody()
	switch role {
	case RoleDetect:
		k.detect()
	case RoleServe:
		k.shared("records", "evidence", "temporal", "index")
		k.serve()
	case RoleWork:
		k.shared("records", "evidence", "temporal", "index")
		k.cases()
	case RoleEnforce:
		k.shared("records", "evidence", "temporal")
		k.enforce()
	case RoleLedger:
		k.shared("records", "temporal")
		k.ledger()
	default:
		k.bad("role", "there is no role %q", role)
	}
	return k.faults.Err()
}

type checker struct {
	c      Config
	faults casefile.Faults
}

func (k *checker) bad(path, format string, args ...any) {
	k.faults = append(k.faults, fault(path, k.c.where(path), fmt.Sprintf(format, args...)))
}

func (k *checker) needs(path, value, why string) {
	if value == "" {
		k.bad(path, "required: %s", why)
	}
}

// either holds two keys of a section to one of them.
func (k *checker) either(section, a, is, b, other string) {
	switch {
	case is != "" && other != "":
		k.bad(section, "name one of %s and %s, not both", a, b)
	case is == "" && other == "":
		k.bad(section, "name one of %s and %s", a, b)
	}
}

func (k *checker) everybody() {
	c := k.c
	k.needs("keys.dir", c.Keys.Dir, "the folder that holds this process's keys")
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Logging.Level) {
		k.bad("logging.level", "must be debug, info, warn or error")
	}
	k.address("health.listen", c.Health.Listen)
}

func (k *checker) shared(sections ...string) {
	c := k.c
	for _, s := range sections {
		switch s {
		case "records":
			k.records()
		case "evidence":
			k.evidence()
		case "temporal":
			k.temporal()
		case "index":
			k.needs("index.embedded", c.Index.Embedded, "the file of history and case search")
		}
	}
}

func (k *checker) evidence() {
	e := k.c.Evidence
	k.either("evidence", "dir", e.Dir, "bucket", e.Bucket)
	if e.Bucket == "" {
		return
	}
	u, err := url.Parse(e.Bucket)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		k.bad("evidence.bucket", "must be a URL such as s3://BUCKET?region=REGION, without user and password")
	}
}

func (k *checker) records() {
	r := k.c.Records
	k.either("records", "sqlite", r.SQLite, "postgres", r.Postgres)
	if r.Postgres != "" {
		// What url.Parse says of a URL quotes it, and a password may stand in it.
		u, err := url.Parse(r.Postgres)
		switch {
		case err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql"):
			k.bad("records.postgres", "must be a URL such as postgres://docket@db.example:5432/docket?sslmode=verify-full")
		case hasPassword(u):
			k.bad("records.postgres", "must hold no password: name its file with records.password_file, or set DOCKET_RECORDS_PASSWORD")
		}
	}
	if r.MaxConns < 0 {
		k.bad("records.max_conns", "must not be negative")
	}
}

// hasPassword looks in both places where a PostgreSQL URL may hold one.
func hasPassword(u *url.URL) bool {
	_, set := u.User.Password()
	return set || u.Query().Has("password")
}

func (k *checker) temporal() {
	t := k.c.Temporal
	k.needs("temporal.address", t.Address, "host and port of the Temporal frontend")
	k.address("temporal.address", t.Address)
	k.needs("temporal.namespace", t.Namespace, "the namespace of the workflows")
	if (t.TLSCertFile == "") != (t.TLSKeyFile == "") {
		k.bad("temporal", "tls_cert_file and tls_key_file belong together")
	}
	if !t.TLS && t.TLSCAFile+t.TLSCertFile+t.TLSServerName != "" {
		k.bad("temporal.tls", "must be true for the other keys of TLS to mean anything")
	}
}

func (k *checker) serve() {
	c := k.c
	k.needs("serve.listen", c.Serve.Listen, "the address of API and console")
	k.address("serve.listen", c.Serve.Listen)
	if c.Ledger.URL != "" {
		k.httpURL("ledger.url", c.Ledger.URL)
	}
	k.oneKey()
	k.cases()
	k.platforms()
}

// cases checks the times that work gives every case and serve tells people of.
func (k *checker) cases() {
	c := k.c.Cases
	if c.Lease < time.Second || c.Lease > 24*time.Hour {
		k.bad("cases.lease", "must be from 1s to 24h")
	}
	if c.Grace < 0 || c.Grace > 24*time.Hour {
		k.bad("cases.grace", "must be from 0s to 24h")
	}
}

func (k *checker) enforce() {
	c := k.c
	k.either("ledger", "verifier_key", c.Ledger.VerifierKey, "verifier_key_file", c.Ledger.VerifierKeyFile)
	k.platforms()
	if len(c.Platforms) == 0 {
		k.bad("platforms", "required: how decisions are carried out on each platform")
	}
	for i, p := range c.Platforms {
		k.needs(fmt.Sprintf("platforms[%d].file", i), p.File, "the file that the dry run writes, or the webhook's configuration")
	}
}

// platforms checks what serve needs of them too: which there are, and by which adapter.
func (k *checker) platforms() {
	names, files := map[string]bool{}, map[string]bool{}
	for i, p := range k.c.Platforms {
		at := fmt.Sprintf("platforms[%d]", i)
		k.needs(at+".name", p.Name, "the platform's name in events, or * for every other one")
		if names[p.Name] {
			k.bad(at+".name", "stands twice")
		}
		names[p.Name] = true
		if p.Adapter != AdapterDryrun && p.Adapter != AdapterWebhook {
			k.bad(at+".adapter", "must be %s or %s", AdapterDryrun, AdapterWebhook)
		}
		if p.PerMinute < 0 {
			k.bad(at+".per_minute", "must not be negative")
		}
		if p.File != "" && files[p.File] {
			k.bad(at+".file", "another platform has this file")
		}
		files[p.File] = true
	}
}

func (k *checker) ledger() {
	l := k.c.Ledger
	k.needs("ledger.dir", l.Dir, "the folder of the log")
	k.address("ledger.listen", l.Listen)
	if l.CheckpointCopy != "" && filepath.Clean(l.CheckpointCopy) == filepath.Clean(l.Dir) {
		k.bad("ledger.checkpoint_copy", "must be another folder than ledger.dir")
	}
	k.oneKey()
}

// oneKey checks the log's public key where none is needed.
func (k *checker) oneKey() {
	if k.c.Ledger.VerifierKey != "" && k.c.Ledger.VerifierKeyFile != "" {
		k.bad("ledger", "name one of verifier_key and verifier_key_file, not both")
	}
}

func (k *checker) detect() {
	d := k.c.Detect
	if len(d.Files) == 0 {
		k.bad("detect.files", "required: at least one file of events")
	}
	for i, f := range d.Files {
		if f == "" {
			k.bad(fmt.Sprintf("detect.files[%d]", i), "must name a file")
		}
	}
	if !slices.Contains([]string{"auto", "event", "twitter1"}, d.Format) {
		k.bad("detect.format", "must be auto, event or twitter1")
	}
	k.needs("detect.snapshot", d.Snapshot, "the file in which windows and place in the stream are kept")
	k.needs("detect.door", d.Door, "the address of the serve role")
	if d.Door != "" {
		k.httpURL("detect.door", d.Door)
	}
	if d.Token == "" && d.TokenFile == "" {
		k.bad("detect.token_file", "required: the file of the token with which flags are handed in, or DOCKET_DETECT_TOKEN")
	}
	k.shared("index")
}

func (k *checker) address(path, value string) {
	if value == "" {
		return
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		var n int
		n, err = strconv.Atoi(port)
		if n < 0 || n > 65535 || strings.HasPrefix(port, "+") {
			err = strconv.ErrRange
		}
	}
	if err != nil {
		k.bad(path, "must be an address such as 127.0.0.1:8080")
	}
}

func (k *checker) httpURL(path, value string) {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		k.bad(path, "must be a URL such as https://docket.example, without user, query or fragment")
	}
}
