package evidence

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// assertionKeys are the keys of signed verbs. The file of secret keys holds Ed25519 seeds, the public
// one the public halves of these and of those before them.
type assertionKeys struct {
	now    string // id of the key that signs; "" where this folder holds none
	seed   *key
	public casefile.AssertionKeys
}

// AssertionSigner gives the key that signs verbs and its id; CodeNotFound where the folder holds none,
// as it should for every role but serve.
func (k *Keyring) AssertionSigner() (keyID string, signer ed25519.PrivateKey, err error) {
	if k.assertion.now == "" {
		return "", nil, casefile.Errorf(casefile.CodeNotFound, "the keys folder holds no %s", fileAssertion)
	}
	return k.assertion.now, ed25519.NewKeyFromSeed(k.assertion.seed[:]), nil
}

// AssertionKeys gives the public keys under which signed verbs count: the present one and those before
// it. The map and its keys are the caller's own. CodeNotFound where the folder holds none.
func (k *Keyring) AssertionKeys() (casefile.AssertionKeys, error) {
	if len(k.assertion.public) == 0 {
		return nil, casefile.Errorf(casefile.CodeNotFound, "the keys folder holds no %s", fileAssertionPublic)
	}
	keys := make(casefile.AssertionKeys, len(k.assertion.public))
	for id, public := range k.assertion.public {
		keys[id] = slices.Clone(public)
	}
	return keys, nil
}

// AddAssertionKey makes a new key that signs verbs, in a folder that holds one or none of these keys
// yet. The secret half of the key before it is thrown away; its public half goes on to count until its
// line is removed. Keyrings open by now do not see it: roles that verify must have the new public file
// before a role signs with the key. CodeConflict when another rotation is under way, CodeState in a
// folder that is no keys folder or that only verifies.
func AddAssertionKey(dir string) (id string, err error) {
	_, err = os.Stat(filepath.Join(dir, fileIdentity))
	if errors.Is(err, fs.ErrNotExist) {
		return "", casefile.Errorf(casefile.CodeState, "%s is no keys folder: it holds no %s", dir, fileIdentity)
	}
	if err != nil {
		return "", fmt.Errorf("inspect keys folder: %w", err)
	}
	line := keyLine{id: newKeyID("a"), key: newKey()}
	first := false
	err = changeKeyFile(dir, fileAssertion, commentAssertion, func() ([]keyLine, error) {
		keys, err := readAssertion(dir)
		if err != nil {
			return nil, err
		}
		first = len(keys.public) == 0
		switch {
		case first: // the public half is written below, or made from the secret one if that fails
			return []keyLine{line}, nil
		case keys.now == "":
			return nil, casefile.Errorf(casefile.CodeState, "%s only verifies: make the key where %s is", dir, fileAssertion)
		}
		return []keyLine{line}, addPublic(dir, line)
	})
	if err == nil && first {
		err = addPublic(dir, line)
	}
	if err != nil {
		return "", err
	}
	return line.id, nil
}

// addPublic adds the public half of a key behind those that stand.
func addPublic(dir string, line keyLine) error {
	return changeKeyFile(dir, fileAssertionPublic, commentAssertionPublic, func() ([]keyLine, error) {
		lines, err := readLines(dir, fileAssertionPublic, readPublic)
		if errors.Is(err, fs.ErrNotExist) {
			lines, err = publicHalves(dir)
		}
		if err != nil {
			return nil, err
		}
		if len(lines) > 0 && lines[len(lines)-1].id == line.id {
			return lines, nil
		}
		return append(lines, publicHalf(line)), nil
	})
}

// publicHalves makes the lines of a lost public file from the secret keys.
func publicHalves(dir string) ([]keyLine, error) {
	secret, err := readKeyLines(dir, fileAssertion)
	if err != nil {
		return nil, err
	}
	lines := make([]keyLine, len(secret))
	for i, l := range secret {
		lines[i] = publicHalf(l)
	}
	return lines, nil
}

// publicHalf gives the line of the public file that belongs to a seed's.
func publicHalf(l keyLine) keyLine {
	public := ed25519.NewKeyFromSeed(l.key[:]).Public().(ed25519.PublicKey)
	return keyLine{id: l.id, key: (*key)(public)}
}

// readAssertion reads both files, each of which may be absent.
func readAssertion(dir string) (assertionKeys, error) {
	a := assertionKeys{public: casefile.AssertionKeys{}}
	public, err := readLines(dir, fileAssertionPublic, readPublic)
	listed := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return assertionKeys{}, err
	}
	for _, l := range public {
		if l.key == nil {
			return assertionKeys{}, casefile.Errorf(casefile.CodeInvalid, "%s holds public keys, no URLs", filepath.Join(dir, fileAssertionPublic))
		}
		a.public[l.id] = ed25519.PublicKey(l.key[:])
	}
	secret, err := readKeyLines(dir, fileAssertion)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return assertionKeys{}, err
	}
	for _, l := range secret {
		if l.key == nil {
			return assertionKeys{}, casefile.Errorf(casefile.CodeInvalid, "%s: assertion keys are kept in the file, not behind a URL", filepath.Join(dir, fileAssertion))
		}
		half := ed25519.PublicKey(publicHalf(l).key[:])
		if listed && !half.Equal(a.public[l.id]) {
			return assertionKeys{}, casefile.Errorf(casefile.CodeInvalid, "%s lacks the public half of key %s: verbs signed with it would count nowhere", filepath.Join(dir, fileAssertionPublic), l.id)
		}
		a.public[l.id] = half
		a.now, a.seed = l.id, l.key
	}
	return a, nil
}
