package casefile

import "time"

// Claim is a reviewer's lease on a case. Number grows by one with every claim of the case, so that
// a late verb of an earlier holder is refused.
type Claim struct {
	Number    int       `json:"number"`
	Person    Person    `json:"person"`
	Role      Role      `json:"role"`
	GrantedAt time.Time `json:"granted_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Live reports whether the lease still runs at now.
func (c *Claim) Live(now time.Time) bool { return c != nil && now.Before(c.ExpiresAt) }
