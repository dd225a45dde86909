package config

import "time"

// Config is a deployment. The zero value of a key that has no default means that it was not given.
// Every key is described in docs/operations/configuration.md and shown by Example.
type Config struct {
	// Fast does not wait for the disk at each commit to files of our own.
	Fast      bool       `koanf:"fast"`
	Logging   Logging    `koanf:"logging"`
	Health    Health     `koanf:"health"`
	Keys      Keys       `koanf:"keys"`
	Records   Records    `koanf:"records"`
	Evidence  Evidence   `koanf:"evidence"`
	Temporal  Temporal   `koanf:"temporal"`
	Index     Index      `koanf:"index"`
	Ledger    Ledger     `koanf:"ledger"`
	Policy    Policy     `koanf:"policy"`
	Cases     Cases      `koanf:"cases"`
	Platforms []Platform `koanf:"platforms"`
	Telling   Telling    `koanf:"telling"`
	Serve     Serve      `koanf:"serve"`
	Detect    Detect     `koanf:"detect"`

	origins origins
}

// Logging is about the structured log on standard error.
type Logging struct {
	Level string `koanf:"level"` // debug, info, warn or error
}

// Health is about the listener of /healthz, /readyz and /metrics.
type Health struct {
	Listen string `koanf:"listen"` // "" for none
}

// Keys says where the process's keys are.
type Keys struct {
	Dir string `koanf:"dir"`
}

// Records says where the transactional store is: exactly one of SQLite and Postgres.
type Records struct {
	SQLite       string `koanf:"sqlite"`   // path of the file
	Postgres     string `koanf:"postgres"` // URL without a password
	Password     Secret `koanf:"password"` // of Postgres; from the environment alone
	PasswordFile string `koanf:"password_file"`
	MaxConns     int    `koanf:"max_conns"` // of this process to Postgres; 0 leaves it to the adapter
}

// Evidence says where the sealed store is: exactly one of Dir and Bucket.
type Evidence struct {
	Dir    string `koanf:"dir"`
	Bucket string `koanf:"bucket"` // URL for gocloud.dev/blob
}

// Temporal says where the Temporal cluster is.
type Temporal struct {
	Address       string `koanf:"address"`
	Namespace     string `koanf:"namespace"`
	TLS           bool   `koanf:"tls"`
	TLSCAFile     string `koanf:"tls_ca_file"`
	TLSCertFile   string `koanf:"tls_cert_file"`
	TLSKeyFile    string `koanf:"tls_key_file"`
	TLSServerName string `koanf:"tls_server_name"`
}

// Index says where history and case search are.
type Index struct {
	Embedded string `koanf:"embedded"` // path of the SQLite file
}

// Ledger says where the log is. Dir, Listen and CheckpointCopy are the ledger role's, the rest
// everybody else's.
type Ledger struct {
	Dir             string `koanf:"dir"`
	Listen          string `koanf:"listen"`          // where the ledger role serves the log; "" for nowhere
	CheckpointCopy  string `koanf:"checkpoint_copy"` // folder that each checkpoint is copied to; "" for none
	URL             string `koanf:"url"`             // where the log is served
	VerifierKey     string `koanf:"verifier_key"`
	VerifierKeyFile string `koanf:"verifier_key_file"`
}

// Policy says which rules route cases.
type Policy struct {
	Routing string `koanf:"routing"` // a rule file; "" for the rules that Docket ships
}

// Cases are the times of a case.
type Cases struct {
	Lease time.Duration `koanf:"lease"` // how long a claim holds without input
	Grace time.Duration `koanf:"grace"` // how long a decision can be withdrawn
}

// AnyPlatform is the name of the entry of Platforms that stands for every platform without one.
const AnyPlatform = "*"

// The adapters that Platform may name.
const (
	AdapterDryrun  = "dryrun"
	AdapterWebhook = "webhook"
)

// Platform says how decisions are carried out on one platform.
type Platform struct {
	Name    string `koanf:"name"`
	Adapter string `koanf:"adapter"`
	// File is of dryrun where it writes down what it would do, of webhook its own configuration
	// (docs/formats/webhook.md).
	File string `koanf:"file"`
	// Notify says of a webhook that it delivers notices, as its own configuration does: the role serve
	// previews them and does not read that.
	Notify bool `koanf:"notify"`
	// PerMinute bounds how many acts a minute are asked of the platform; 0 sets no bound.
	PerMinute int `koanf:"per_minute"`
}

// Telling says who is told when something needs people, in a file of its own (docs/telling.md); with
// none, nobody is.
type Telling struct {
	File string `koanf:"file"`
}

// Serve is about API and console.
type Serve struct {
	Listen     string `koanf:"listen"`
	HTTPS      bool   `koanf:"https"`      // people reach it by https, through a proxy
	Service    string `koanf:"service"`    // what notices call the service; "" for "this service"
	Complaints string `koanf:"complaints"` // where a complaint is made; "" for an answer to the notice
}

// Detect is about the streams that are read and what becomes of them.
type Detect struct {
	Files     []string `koanf:"files"`
	Format    string   `koanf:"format"`
	Rules     string   `koanf:"rules"` // a rule file; "" for the example rules
	Snapshot  string   `koanf:"snapshot"`
	Rejects   string   `koanf:"rejects"` // "" drops lines that are no events
	WatchAll  bool     `koanf:"watch_all"`
	Door      string   `koanf:"door"`  // the serve role's address
	Token     Secret   `koanf:"token"` // from the environment alone
	TokenFile string   `koanf:"token_file"`
}

// Default is a configuration in which nothing was said.
func Default() Config {
	return Config{
		Logging:  Logging{Level: "info"},
		Temporal: Temporal{Namespace: "docket"},
		Cases:    Cases{Lease: 10 * time.Minute, Grace: 15 * time.Second},
		Serve:    Serve{Listen: "127.0.0.1:8080"},
		Detect:   Detect{Format: "auto"},
	}
}
