package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

// KeyringOptions says where the keys are and how they are used.
type KeyringOptions struct {
	// Dir is the keys folder (DIR/keys), made with fresh keys where it is absent or empty.
	Dir string
	// Skeleton gives the form of a handle in which look-alikes are equal (detector/fold.String).
	// Required, and never changed: handle hashes of past takedowns rest on it.
	Skeleton func(string) string
	// DeploymentURL names the keeper of the deployment key (gocloud.dev/secrets: awskms://,
	// gcpkms://, hashivault://; the program links the driver). It is written to the folder when the
	// folder is made; for an existing folder it must be the active deployment key already. "" means a
	// key of our own in the folder.
	DeploymentURL string
	// LogName is the name in the ledger's signing key when the folder is made; "" makes one up.
	LogName string
}

// Keyring holds the keys of a deployment, as read when it was opened. Safe for concurrent use. It
// never prints or logs a key, whatever the verb.
type Keyring struct {
	identity   *identity
	deployment map[string]deploymentKey
	active     string // deployment key that wraps
	codec      map[string]*key
	codecNow   string
	logSigner  string // "" when this folder holds none
	logPublic  string
	assertion  assertionKeys
}

// deploymentKey is one key that wraps account keys.
type deploymentKey struct {
	keeper *secrets.Keeper
	remote bool // behind a URL: a failure may pass
}

// OpenKeyring reads a keys folder; one that is absent or empty is made first, whole, so that two
// processes starting at once get the same keys and a crash leaves no half of a ring. An existing
// folder is only read: a file that it lacks stays missing, and what needs it says so. A file that
// others than its owner may read is CodeForbidden, a damaged one CodeInvalid, a folder with keys
// but no identity key CodeState: a new identity key would orphan everything stored under the old.
func OpenKeyring(ctx context.Context, o KeyringOptions) (*Keyring, error) {
	if o.Skeleton == nil {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a keyring needs the skeleton function of handles")
	}
	err := makeKeysIfAbsent(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("make keys folder: %w", err)
	}
	err = guardDir(o.Dir)
	if err != nil {
		return nil, err
	}
	ids, err := readKeyLines(o.Dir, fileIdentity)
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 || ids[0].key == nil {
		return nil, casefile.Errorf(casefile.CodeInvalid, "%s holds exactly one key", filepath.Join(o.Dir, fileIdentity))
	}
	k := &Keyring{identity: &identity{key: ids[0].key, skeleton: o.Skeleton}, deployment: map[string]deploymentKey{}, codec: map[string]*key{}}
	err = k.readDeployment(ctx, o)
	if err == nil {
		err = k.readCodec(o.Dir)
	}
	if err == nil {
		err = k.readLog(o.Dir)
	}
	if err == nil {
		k.assertion, err = readAssertion(o.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// guardDir refuses a folder in which others could put keys of their own.
func guardDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("inspect keys folder: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return casefile.Errorf(casefile.CodeForbidden, "%s has mode %04o: only its owner may write in it (mode 0700)", dir, info.Mode().Perm())
	}
	return nil
}

func readKeyLines(dir, name string) ([]keyLine, error) {
	return readLines(dir, name, readSecret)
}

func readLines(dir, name string, read func(dir, name string) ([]byte, error)) ([]keyLine, error) {
	data, err := read(dir, name)
	if err != nil {
		return nil, err
	}
	lines, err := parseKeyLines(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, name), err)
	}
	return lines, nil
}

func (k *Keyring) readDeployment(ctx context.Context, o KeyringOptions) error {
	lines, err := readKeyLines(o.Dir, fileDeployment)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, l := range lines {
		d := deploymentKey{remote: l.url != ""}
		if d.remote {
			d.keeper, err = openKeeper(ctx, l.url)
			if err != nil {
				return fmt.Errorf("open deployment key %s: %w", l.id, err)
			}
		} else {
			d.keeper = localsecrets.NewKeeper(*l.key)
		}
		k.deployment[l.id] = d
	}
	last := lines[len(lines)-1]
	k.active = last.id
	if o.DeploymentURL != "" && last.url != o.DeploymentURL {
		return casefile.Errorf(casefile.CodeState, "the active deployment key of %s is not the one configured: add it to %s first", o.Dir, fileDeployment)
	}
	return nil
}

// openKeeper opens a keeper by URL. A base64key URL holds the key itself, so its errors are dropped.
func openKeeper(ctx context.Context, url string) (*secrets.Keeper, error) {
	keeper, err := secrets.OpenKeeper(ctx, url)
	scheme, _, _ := strings.Cut(url, "://")
	if err != nil && scheme == localsecrets.Scheme {
		return nil, casefile.Errorf(casefile.CodeInvalid, "not a valid %s URL", scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s keeper: %w", scheme, err)
	}
	return keeper, nil
}

func (k *Keyring) readCodec(dir string) error {
	lines, err := readKeyLines(dir, fileCodec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.key == nil {
			return casefile.Errorf(casefile.CodeInvalid, "%s: codec keys are kept in the file, not behind a URL", filepath.Join(dir, fileCodec))
		}
		k.codec[l.id] = l.key
		k.codecNow = l.id
	}
	return nil
}

func (k *Keyring) readLog(dir string) error {
	public, err := readPublic(dir, fileLogPublic)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		k.logPublic = strings.TrimSpace(string(public))
	}
	signer, err := readSecret(dir, fileLogSigner)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	k.logSigner = strings.TrimSpace(string(signer))
	s, err := note.NewSigner(k.logSigner)
	if err != nil { // note's errors do not quote the key, but say nothing more either
		return casefile.Errorf(casefile.CodeInvalid, "%s is not a log signing key", filepath.Join(dir, fileLogSigner))
	}
	v, err := note.NewVerifier(k.logPublic)
	if err != nil || v.Name() != s.Name() || v.KeyHash() != s.KeyHash() {
		return casefile.Errorf(casefile.CodeInvalid, "%s is not the public half of %s", filepath.Join(dir, fileLogPublic), fileLogSigner)
	}
	return nil
}

// Identity makes the keyed hashes of accounts, flags and handles.
func (k *Keyring) Identity() Identity { return k.identity }

// CodecKeys gives the keys of the payload codec by id, and the id of the one that encrypts; the
// others only decrypt. The map is the caller's own; it is empty and active "" where the folder
// holds none.
func (k *Keyring) CodecKeys() (active string, keys map[string][32]byte) {
	keys = make(map[string][32]byte, len(k.codec))
	for id, b := range k.codec {
		keys[id] = *b
	}
	return k.codecNow, keys
}

// LogSigner gives the ledger's private signing key (golang.org/x/mod/sumdb/note); CodeNotFound
// where the folder holds none, as it should for every role but the ledger's.
func (k *Keyring) LogSigner() (string, error) {
	if k.logSigner == "" {
		return "", casefile.Errorf(casefile.CodeNotFound, "the keys folder holds no %s", fileLogSigner)
	}
	return k.logSigner, nil
}

// LogVerifierKey gives the ledger's public key, to be pinned by verifiers and actors; CodeNotFound
// where the folder holds none.
func (k *Keyring) LogVerifierKey() (string, error) {
	if k.logPublic == "" {
		return "", casefile.Errorf(casefile.CodeNotFound, "the keys folder holds no %s", fileLogPublic)
	}
	return k.logPublic, nil
}

// Wrap encrypts a short secret (at most 4 KiB, a KMS's limit) under the active deployment key and
// names that key. CodeNotFound without one, CodeUnavailable when its keeper does not answer.
func (k *Keyring) Wrap(ctx context.Context, secret []byte) (keyID string, wrapped []byte, err error) {
	d, ok := k.deployment[k.active]
	if !ok {
		return "", nil, casefile.Errorf(casefile.CodeNotFound, "the keys folder holds no deployment key")
	}
	wrapped, err = d.keeper.Encrypt(ctx, secret)
	if err != nil {
		return "", nil, d.failed("wrap", k.active, err)
	}
	return k.active, wrapped, nil
}

// Unwrap decrypts what Wrap made. CodeNotFound when the folder lacks the key, CodeUnavailable when
// its keeper does not answer, CodeInternal when the bytes are not what the key wrapped.
func (k *Keyring) Unwrap(ctx context.Context, keyID string, wrapped []byte) ([]byte, error) {
	d, ok := k.deployment[keyID]
	if !ok {
		return nil, casefile.Errorf(casefile.CodeNotFound, "the keys folder lacks deployment key %q", keyID)
	}
	secret, err := d.keeper.Decrypt(ctx, wrapped)
	if err != nil {
		return nil, d.failed("unwrap", keyID, err)
	}
	return secret, nil
}

func (d deploymentKey) failed(verb, id string, err error) error {
	code := casefile.CodeInternal
	if d.remote {
		code = casefile.CodeUnavailable
	}
	return &casefile.Error{Code: code, Op: verb, Message: "deployment key " + id + " failed", Err: err}
}

// Close lets go of keepers behind URLs.
func (k *Keyring) Close() error {
	var all []error
	for id, d := range k.deployment {
		err := d.keeper.Close()
		if err != nil {
			all = append(all, fmt.Errorf("close deployment key %s: %w", id, err))
		}
	}
	return errors.Join(all...)
}

// Format prints the keyring's fingerprint and nothing else.
func (k *Keyring) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keyring %s", k.identity.Fingerprint())
}

// LogValue is what a logger gets: the fingerprint.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }
