package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/knadh/koanf/v2"
)

// Sources are where a configuration is read from; the environment goes before the file, and flags
// before both.
type Sources struct {
	// File is the path of a YAML file; "" for none.
	File string
	// Environ are variables as os.Environ gives them. DOCKET_RECORDS_SQLITE is the key
	// records.sqlite; an empty one counts as not set; lists are separated by commas.
	Environ []string
	Flags   []Flag
}

// Flag is a key's value from the command line.
type Flag struct {
	Name   string   // such as --listen, for faults
	Key    string   // such as serve.listen
	Values []string // one, or several where the key is a list
}

// Load reads a configuration. What was said of no key is as Default has it. Errors are all faults at
// once as casefile.Faults of CodeInvalid, each with its key and where it was written: a key that
// there is not, a value of the wrong kind, a secret in the file. Whether a role can work with it is
// Check's to say.
func Load(s Sources) (Config, error) {
	var data []byte
	if s.File != "" {
		var err error
		data, err = os.ReadFile(s.File)
		if err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
	}
	return decode(s, data)
}

// values is a source of keys for koanf.
type values map[string]any

// Read gives the values.
func (v values) Read() (map[string]any, error) { return v, nil }

// ReadBytes is not how these are read.
func (v values) ReadBytes() ([]byte, error) { return nil, errors.New("values have no bytes") }

// content is a source of bytes for koanf.
type content []byte

// Read is not how these are read.
func (c content) Read() (map[string]any, error) { return nil, errors.New("a file needs a parser") }

// ReadBytes gives the bytes.
func (c content) ReadBytes() ([]byte, error) { return c, nil }

func decode(s Sources, data []byte) (Config, error) {
	r := &reader{file: s.File, origins: origins{}}
	k := koanf.New(".")
	err := k.Load(content(data), fileParser{r})
	if err != nil {
		return Config{}, err
	}
	for _, v := range []values{r.environ(s.Environ), r.flags(s.Flags)} {
		err = k.Load(v, nil)
		if err != nil {
			return Config{}, fmt.Errorf("put the configuration together: %w", err)
		}
	}
	err = r.faults.Err()
	if err != nil {
		return Config{}, err
	}
	c := Default()
	// Every key and kind was checked above, with its place; this only fills the fields.
	err = k.Unmarshal("", &c)
	if err != nil {
		return Config{}, fmt.Errorf("put the configuration together: %w", err)
	}
	c.origins = r.origins
	return c, nil
}

// elsewhere are variables with our prefix that are no keys: the command line's own, secrets that the
// settings of webhooks and mail name, and what Kubernetes sets for a service called docket or
// docket-something.
var elsewhere = regexp.MustCompile(`^DOCKET_(URL|TOKEN|CONFIG|(\w+_)?SECRET|(\w+_)?SERVICE_HOST|(\w+_)?SERVICE_PORT(_\w+)?|(\w+_)?PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func (r *reader) environ(environ []string) values {
	keys := map[string]key{}
	for _, k := range single(schema) {
		keys[k.variable()] = k
	}
	out := values{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" {
			continue
		}
		k, ok := keys[name]
		if !ok {
			if !elsewhere.MatchString(name) {
				r.bad("", name, "the environment variable names no key")
			}
			continue
		}
		texts := []string{value}
		if k.kind == kindTexts {
			texts = strings.Split(value, ",")
		}
		r.set(out, k, name, texts)
	}
	return out
}

func (r *reader) flags(flags []Flag) values {
	keys := map[string]key{}
	for _, k := range single(schema) {
		keys[k.path] = k
	}
	out := values{}
	for _, f := range flags {
		k, ok := keys[f.Key]
		switch {
		case !ok || k.kind == kindSecret:
			r.bad(f.Key, f.Name, "no flag can set this key")
		case len(f.Values) > 0:
			r.set(out, k, f.Name, f.Values)
		}
	}
	return out
}

// set puts a value that was written as text, in a variable or a flag, where the file's would be.
func (r *reader) set(out values, k key, where string, texts []string) {
	var v any = texts
	if k.kind != kindTexts {
		var err error
		v, err = k.kind.parse(texts[len(texts)-1])
		if err != nil {
			r.bad(k.path, where, "%s", k.kind.wanted())
			return
		}
	}
	r.origins[k.path] = where
	at := map[string]any(out)
	parts := strings.Split(k.path, ".")
	for _, p := range parts[:len(parts)-1] {
		below, ok := at[p].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[p] = below
		}
		at = below
	}
	at[parts[len(parts)-1]] = v
}

// where says where a key's value was written; for one that was not given, its section's place.
func (c Config) where(path string) string {
	for {
		w, ok := c.origins[path]
		if ok {
			return w
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return ""
		}
		path = path[:i]
	}
}
