package evidence

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// A system seal is: version 1 (one byte), the deployment key's id (one byte of length, then the id),
// the wrapped data key (two bytes of length, big-endian, then the key), and AES-256-GCM of the text
// under the data key, with everything before it bound. Each seal has a data key of its own, because a
// KMS takes no more than 4 KiB at a time; so the nonce is zero.
const systemVersion = 1

// SealSystem implements Sealer.
func (s *Store) SealSystem(ctx context.Context, plaintext []byte) ([]byte, error) {
	data := newKey()
	id, wrapped, err := s.keyring.Wrap(ctx, data[:])
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
	return c.Seal(out, zeroNonce[:], plaintext, out), nil
}

// OpenSystem implements Sealer. Anything but what SealSystem made is ErrDamaged; CodeNotFound when
// the keys folder lacks the deployment key that sealed it.
func (s *Store) OpenSystem(ctx context.Context, sealed []byte) ([]byte, error) {
	p, err := parseSystemSeal(sealed)
	if err != nil {
		return nil, err
	}
	data, err := s.keyring.Unwrap(ctx, p.keyID, p.wrapped)
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
	plaintext, err := c.Open(nil, zeroNonce[:], p.text, p.header)
	if err != nil {
		return nil, ErrDamaged
	}
	return plaintext, nil
}

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
