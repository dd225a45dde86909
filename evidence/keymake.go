package evidence

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

// Comments at the head of each key file, for whoever finds it.
const (
	commentIdentity   = "Docket identity key. Never changes. Keep a copy apart from the data: without it no account is found again."
	commentDeployment = "Docket deployment keys: they wrap the accounts' content keys. The last line wraps; all unwrap. Keep a copy apart from the data."
	commentCodec      = "Docket codec keys: they encrypt workflow payloads. The last line encrypts; all decrypt."

	commentAssertion       = "Docket assertion keys: the API signs verbs with the last. For the serve role alone."
	commentAssertionPublic = "Public halves of Docket's assertion keys: verbs signed under any of them count. Nothing secret."
)

// makeKeysIfAbsent makes a whole keys folder beside its place and renames it there: of two
// processes one wins, and the other's keys are thrown away before anybody used them.
func makeKeysIfAbsent(ctx context.Context, o KeyringOptions) error {
	entries, err := os.ReadDir(o.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read keys folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() == fileIdentity {
			return nil
		}
	}
	if len(entries) > 0 {
		return casefile.Errorf(casefile.CodeState, "%s holds files but no %s: restore it from its copy, or name an empty folder", o.Dir, fileIdentity)
	}
	parent := filepath.Dir(filepath.Clean(o.Dir))
	err = os.MkdirAll(parent, 0o700)
	if err != nil {
		return fmt.Errorf("make folder above the keys: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, ".keys-*") // mode 0700
	if err != nil {
		return fmt.Errorf("make temporary keys folder: %w", err)
	}
	defer os.RemoveAll(tmp) // a rename leaves nothing to remove
	err = writeFreshKeys(ctx, tmp, o)
	if err != nil {
		return err
	}
	_ = os.Remove(o.Dir) // an empty folder in the way; one that is not empty stays, and wins below
	err = os.Rename(tmp, o.Dir)
	if err != nil {
		_, lost := os.Stat(filepath.Join(o.Dir, fileIdentity))
		if lost == nil {
			return nil // another process was first: its keys stand
		}
		return fmt.Errorf("put the keys folder in place (it may not be a mount point): %w", err)
	}
	return syncDir(parent)
}

func writeFreshKeys(ctx context.Context, dir string, o KeyringOptions) error {
	deployment, err := newDeploymentKey(ctx, o.DeploymentURL)
	if err != nil {
		return err
	}
	name := o.LogName
	if name == "" {
		name = newKeyID("docket-log")
	}
	signer, verifier, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return fmt.Errorf("make log signing key: %w", err)
	}
	_, err = note.NewVerifier(verifier)
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "%q cannot name a log: no spaces, no '+'", name)
	}
	assertion := keyLine{id: newKeyID("a"), key: newKey()}
	files := map[string][]byte{
		fileIdentity:   formatKeyLines(commentIdentity, []keyLine{{id: "identity", key: newKey()}}),
		fileDeployment: formatKeyLines(commentDeployment, []keyLine{deployment}),
		fileCodec:      formatKeyLines(commentCodec, []keyLine{{id: newKeyID("c"), key: newKey()}}),
		fileLogSigner:  []byte(signer + "\n"),
		fileLogPublic:  []byte(verifier + "\n"),

		fileAssertion:       formatKeyLines(commentAssertion, []keyLine{assertion}),
		fileAssertionPublic: formatKeyLines(commentAssertionPublic, []keyLine{publicHalf(assertion)}),
	}
	for file, data := range files {
		err = writeNew(filepath.Join(dir, file), data)
		if err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// AddDeploymentKey adds a deployment key to a folder and makes it the one that wraps: a keeper's
// URL, or "" for a key of our own. Earlier ones go on unwrapping. Keyrings open by now do not see
// it. CodeConflict when another rotation is under way.
func AddDeploymentKey(ctx context.Context, dir, url string) (id string, err error) {
	line, err := newDeploymentKey(ctx, url)
	if err != nil {
		return "", err
	}
	err = addKeyLine(dir, fileDeployment, commentDeployment, line)
	if err != nil {
		return "", err
	}
	return line.id, nil
}

// AddCodecKey adds a codec key to a folder and makes it the one that encrypts, as AddDeploymentKey
// does. Every process that shares workflows needs the new file before one of them uses the key.
func AddCodecKey(dir string) (id string, err error) {
	line := keyLine{id: newKeyID("c"), key: newKey()}
	err = addKeyLine(dir, fileCodec, commentCodec, line)
	if err != nil {
		return "", err
	}
	return line.id, nil
}

func addKeyLine(dir, name, comment string, line keyLine) error {
	return changeKeyFile(dir, name, comment, func() ([]keyLine, error) {
		lines, err := readKeyLines(dir, name)
		return append(lines, line), err
	})
}

// changeKeyFile puts the lines that change gives in the place of a key file. Of two changes of one
// file at once, one is CodeConflict.
func changeKeyFile(dir, name, comment string, change func() ([]keyLine, error)) error {
	path := filepath.Join(dir, name)
	next := path + ".new" // one name for all, so that of two rotations at once one is refused
	f, err := os.OpenFile(next, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return casefile.Errorf(casefile.CodeConflict, "%s exists: another rotation is under way, or one was cut off; remove the file if none is", next)
	}
	if err != nil {
		return fmt.Errorf("begin key rotation: %w", err)
	}
	err = f.Close()
	if err != nil {
		return fmt.Errorf("begin key rotation: %w", err)
	}
	defer os.Remove(next) // a rename leaves nothing to remove
	lines, err := change()
	if err != nil {
		return err
	}
	err = writeSynced(next, os.O_TRUNC, formatKeyLines(comment, lines))
	if err != nil {
		return err
	}
	err = os.Rename(next, path)
	if err != nil {
		return fmt.Errorf("put the key file in place: %w", err)
	}
	return syncDir(dir)
}

// newDeploymentKey makes a line for a keeper, once it could be opened, or for a fresh key of our own.
func newDeploymentKey(ctx context.Context, url string) (keyLine, error) {
	id := newKeyID("d")
	if url == "" {
		return keyLine{id: id, key: newKey()}, nil
	}
	line := keyLine{id: id, url: url}
	back, err := parseKeyLine(line.String())
	if err != nil || back != line {
		return keyLine{}, casefile.Errorf(casefile.CodeInvalid, "a deployment key is named by the URL of a keeper")
	}
	keeper, err := openKeeper(ctx, url)
	if err != nil {
		return keyLine{}, fmt.Errorf("open the new deployment key: %w", err)
	}
	err = keeper.Close()
	if err != nil {
		return keyLine{}, fmt.Errorf("close the new deployment key: %w", err)
	}
	return line, nil
}

func newKey() *key {
	var k key
	_, _ = rand.Read(k[:]) // crypto/rand.Read does not fail since Go 1.24: it aborts the program
	return &k
}

func newKeyID(prefix string) string {
	var b [5]byte
	_, _ = rand.Read(b[:])
	return prefix + "-" + base32Lower.EncodeToString(b[:])
}

func writeNew(path string, data []byte) error { return writeSynced(path, os.O_CREATE|os.O_EXCL, data) }

// writeSynced writes a file of mode 0600 and waits until it is on the disk.
func writeSynced(path string, flag int, data []byte) error {
	f, err := os.OpenFile(path, flag|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open file to write: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}

// syncDir puts a folder's list of names on the disk; Windows does so by itself and refuses to be asked.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncPath(dir)
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open to sync: %w", err)
	}
	err = errors.Join(f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// ReplaceLogKey makes the key of a new log in a keys folder: the one before signs no more. Its files are put
// aside as log-former-N.key and log-former-N.pub, which nothing reads. Keyrings open by now do not see it.
func ReplaceLogKey(dir, name string) error {
	signer, verifier, err := note.GenerateKey(rand.Reader, name)
	if err == nil {
		_, err = note.NewVerifier(verifier)
	}
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "%q cannot name a log: no spaces, no '+'", name)
	}
	for n := 1; ; n++ {
		former := filepath.Join(dir, fmt.Sprintf("log-former-%d", n))
		_, err = os.Stat(former + ".pub")
		if err == nil {
			continue
		}
		for from, to := range map[string]string{fileLogSigner: former + ".key", fileLogPublic: former + ".pub"} {
			err = os.Rename(filepath.Join(dir, from), to)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("put the former log's key aside: %w", err)
			}
		}
		break
	}
	err = writeNew(filepath.Join(dir, fileLogSigner), []byte(signer+"\n"))
	if err == nil {
		err = writeNew(filepath.Join(dir, fileLogPublic), []byte(verifier+"\n"))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write the new log's key: %w", err)
	}
	return nil
}
