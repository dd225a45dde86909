package evidence

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/docket-triage/docket/casefile"
)

// A system seal is: version 1 (one byte), the deployment key's id (one byte of length, then the id),
// the wrapped data key (two bytes of length, big-endian, then the key), and AES-256-GCM of the text
// under the data key, with everything before it bound, and behind that what the text is for. Each seal has a data key of its own, because a
// KMS takes no more than 4 KiB at a time; so the nonce is zero.
const systemVersion = 1

// SealSystem implements Sealer.
func (s *Store) SealSystem(ctx context.Context, plaintext []byte) ([]byte, error) {
	return s.keyring.sealText(ctx, "", plaintext)
}

// OpenSystem implements Sealer. Anything but what SealSystem made is ErrDamaged; CodeNotFound when
// the keys folder lacks the deployment key that sealed it.
func (s *Store) OpenSystem(ctx context.Context, sealed []byte) ([]byte, error) {
	return s.keyring.openText(ctx, "", sealed)
}

// MaxReason is the length of the longest reason that is sealed, in bytes.
const MaxReason = 4096

// useReason is bound into sealed reasons, so that no other text can be shown for one.
const useReason = "docket reason"

// SealReason seals why somebody set a switch or broke the glass, under the active deployment key: the
// same words give other bytes each time, and the bytes name the key, so that it can rotate.
// CodeTooLarge above MaxReason, CodeNotFound without a deployment key, CodeUnavailable when its keeper
// does not answer.
func (k *Keyring) SealReason(ctx context.Context, reason []byte) ([]byte, error) {
	if len(reason) > MaxReason {
		return nil, &casefile.Error{Code: casefile.CodeTooLarge, Field: "reason", Message: fmt.Sprintf("at most %d bytes", MaxReason)}
	}
	return k.sealText(ctx, useReason, reason)
}

// OpenReason is the inverse of SealReason. Anything that SealReason did not make is ErrDamaged;
// CodeNotFound when the keys folder lacks the key, CodeUnavailable when its keeper does not answer.
func (k *Keyring) OpenReason(ctx context.Context, sealed []byte) ([]byte, error) {
	return k.openText(ctx, useReason, sealed)
}

// sealText makes a system seal with use bound behind its header.
func (k *Keyring) sealText(ctx context.Context, use string, plaintext []byte) ([]byte, error) {
	data := newKey()
	id, wrapped, err := k.Wrap(ctx, data[:])
	if err != nil {
		return nil, fmt.Errorf("seal under the deployment key: %w", err)
	}
	if len(id) > 0xff || len(wrapped) > 0xffff {
		return nil, fmt.Errorf("seal under the deployment key: a wrapped key of %d bytes is too long", len(wrapped))
	}
	out := []byte{systemVersion, byte(len(id))}
	out = append(out, id...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(wrapped)))
	out = append(out, wrapped...)
	c, err := systemCipher(data[:])
	if err != nil {
		return nil, err
	}
	return c.Seal(out, zeroNonce[:], plaintext, bindUse(out, use)), nil
}

func (k *Keyring) openText(ctx context.Context, use string, sealed []byte) ([]byte, error) {
	p, err := parseSystemSeal(sealed)
	if err != nil {
		return nil, err
	}
	data, err := k.Unwrap(ctx, p.keyID, p.wrapped)
	if err != nil {
		return nil, fmt.Errorf("open under the deployment key: %w", err)
	}
	if len(data) != keyBytes {
		return nil, ErrDamaged
	}
	c, err := systemCipher(data)
	if err != nil {
		return nil, err
	}
	plaintext, err := c.Open(nil, zeroNonce[:], p.text, bindUse(p.header, use))
	if err != nil {
		return nil, ErrDamaged
	}
	return plaintext, nil
}

func bindUse(header []byte, use string) []byte { return append(bytes.Clone(header), use...) }

type systemSeal struct {
	keyID                 string
	wrapped, text, header []byte
}

func parseSystemSeal(sealed []byte) (systemSeal, error) {
	if len(sealed) < 2 || sealed[0] != systemVersion {
		return systemSeal{}, ErrDamaged
	}
	end := 2 + int(sealed[1])
	if len(sealed) < end+2 {
		return systemSeal{}, ErrDamaged
	}
	p := systemSeal{keyID: string(sealed[2:end])}
	wrappedEnd := end + 2 + int(binary.BigEndian.Uint16(sealed[end:]))
	if len(sealed) < wrappedEnd {
		return systemSeal{}, ErrDamaged
	}
	p.wrapped, p.header, p.text = sealed[end+2:wrappedEnd], sealed[:wrappedEnd], sealed[wrappedEnd:]
	return p, nil
}

func systemCipher(data []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(data)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	c, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return c, nil
}
