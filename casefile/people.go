package casefile

// Person is a staff member's pseudonym ("p-" and 8 base32 characters), used in the ledger, records,
// workflow payloads and logs. The name behind it stands only in the people table.
type Person string

// Role is what a person may do; a person may hold several. Which role may do what stands in the
// table of package access.
type Role string

// The roles.
const (
	RoleReviewer Role = "reviewer"
	RoleSenior   Role = "senior"
	RoleLead     Role = "lead"
	RolePolicy   Role = "policy"
	RoleAuditor  Role = "auditor"
	RoleAdmin    Role = "admin"
	RoleService  Role = "service" // a detector or another system; can hold no opinion
)

// Roles are all roles.
var Roles = []Role{RoleReviewer, RoleSenior, RoleLead, RolePolicy, RoleAuditor, RoleAdmin, RoleService}

// Valid reports whether r is a role.
func (r Role) Valid() bool { return contains(Roles, r) }

// Actor is who did something that goes on record, and in which role. Person is empty for an
// automatic step, whose role is service.
type Actor struct {
	Person Person `json:"person,omitempty"`
	Role   Role   `json:"role"`
}

// System is the actor of an automatic step.
var System = Actor{Role: RoleService}
