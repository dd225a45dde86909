package casefile

import (
	"strings"
	"time"
)

// AccountRef names an account on its platform. It identifies a person: it stands only in the
// sealed store and the index, never in ids, workflow payloads, records, the ledger or logs.
type AccountRef struct {
	Platform string `json:"platform"`
	ID       string `json:"id"`
}

// AccountKey is the keyed hash (HMAC-SHA-256 under the identity key, 32 lower-case base32
// characters) by which an account is known outside the sealed store.
type AccountKey string

// Account is what a stream tells of an account at one time. The counters are nil when the stream
// did not tell them: unknown is not zero.
type Account struct {
	ID          string     `json:"id"`
	Handle      string     `json:"handle,omitempty"`
	DisplayName string     `json:"display_name,omitempty"`
	Bio         string     `json:"bio,omitempty"`
	CreatedAt   *time.Time `json:"created_at,omitempty"`
	Followers   *int64     `json:"followers,omitempty"`
	Following   *int64     `json:"following,omitempty"`
	Posts       *int64     `json:"posts,omitempty"`
}

// Merge returns a with every field that newer tells laid over it.
func (a Account) Merge(newer Account) Account {
	out := a
	if newer.ID != "" {
		out.ID = newer.ID
	}
	if newer.Handle != "" {
		out.Handle = newer.Handle
	}
	if newer.DisplayName != "" {
		out.DisplayName = newer.DisplayName
	}
	if newer.Bio != "" {
		out.Bio = newer.Bio
	}
	if newer.CreatedAt != nil {
		out.CreatedAt = newer.CreatedAt
	}
	if newer.Followers != nil {
		out.Followers = newer.Followers
	}
	if newer.Following != nil {
		out.Following = newer.Following
	}
	if newer.Posts != nil {
		out.Posts = newer.Posts
	}
	return out
}

// Platform names are part of workflow ids and metrics: short, lower case, no separators.
const maxPlatformBytes = 32

// ValidPlatform reports whether name can name a platform: 1 to 32 of a-z, 0-9, '-' and '_',
// beginning with a letter.
func ValidPlatform(name string) bool {
	if name == "" || len(name) > maxPlatformBytes || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
