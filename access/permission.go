package access

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// Permission is one thing that a route, a page or a verb asks leave for.
type Permission string

// The permissions. Who holds which stands in the table below and in docs/access.md.
const (
	FlagSubmit   Permission = "flag.submit"   // hand in flags
	FlagRead     Permission = "flag.read"     // a flag's receipt: its status and case, no words
	QueueRead    Permission = "queue.read"    // queues, their counts and their rows, no words
	CaseList     Permission = "case.list"     // case rows, no words
	CaseFind     Permission = "case.find"     // look for cases by number, account or text
	CaseRead     Permission = "case.read"     // open a case with its words; goes on record with a purpose
	CaseNext     Permission = "case.next"     // be given the next case of a queue
	CaseClaim    Permission = "case.claim"    // claim, heartbeat and release
	CaseComment  Permission = "case.comment"  // add a comment
	CaseOpinion  Permission = "case.opinion"  // give an opinion
	CaseWithdraw Permission = "case.withdraw" // take one's own decision back within its grace time
	CaseClose    Permission = "case.close"    // close without a decision
	CaseReopen   Permission = "case.reopen"   // open an account's closed case again

	CaseSnooze       Permission = "case.snooze"        // put a case one holds back in its queue until a time
	CaseHold         Permission = "case.hold"          // keep a case without input until a time
	CaseHandOver     Permission = "case.handover"      // give a case one holds to another person or queue
	CaseEscalate     Permission = "case.escalate"      // give a case to the leads' queue, or call a threat to life
	CaseDeadline     Permission = "case.deadline"      // move a case's deadline
	CaseForceRelease Permission = "case.force_release" // end somebody else's claim
	CaseRefer        Permission = "case.refer"         // refer a case to another team
	CaseEmergency    Permission = "case.emergency"     // order L5 at once, reviewed by somebody else within a day
	CaseAdjudicate   Permission = "case.adjudicate"    // settle two opinions that differ

	AppealOpen  Permission = "appeal.open"  // hand an appeal in for the account
	AppealList  Permission = "appeal.list"  // appeals and their states, no words
	AppealClaim Permission = "appeal.claim" // claim an appeal and release it
	AppealRule  Permission = "appeal.rule"  // decide an appeal; nobody who took part may

	ActList          Permission = "act.list"          // acts that have not come to a good end, no words
	ActPause         Permission = "act.pause"         // stop acts, on one platform or all
	ActResume        Permission = "act.resume"        // let them go on
	ActSettle        Permission = "act.settle"        // say how an uncertain act ended
	SwitchRead       Permission = "switch.read"       // switches and breakers
	SwitchAutomation Permission = "switch.automation" // let automatic rules decide, or stop them
	BreakerArm       Permission = "breaker.arm"       // arm a breaker that tripped

	GlassBreak   Permission = "glass.break"   // open a case without the right to it, for a reason, for at most an hour
	GlassReview  Permission = "glass.review"  // read the reason and say whether it was justified; never of oneself
	ReconcileRun Permission = "reconcile.run" // find workflows that are missing and start them again

	HoldManage   Permission = "hold.manage"   // put a legal hold on an account, and end it
	AccountErase Permission = "account.erase" // erase an account, where nothing is outstanding
	ErasureRead  Permission = "erasure.read"  // holds and erasures, with the reasons for them
	ErasureWatch Permission = "erasure.watch" // which accounts a detector must forget, as keyed hashes

	DecisionRead  Permission = "decision.read"  // decisions, acts and their outcomes, no words
	DecisionFeed  Permission = "decision.feed"  // proven decisions with their accounts, for systems that act on them
	AuditRead     Permission = "audit.read"     // ledger entries, proofs and bundles
	WatchRead     Permission = "watch.read"     // who looked at which case and why, and what was refused
	PolicyRead    Permission = "policy.read"    // taxonomy, ladder and routing rules
	PeopleRead    Permission = "people.read"    // names, logins and roles of staff
	PeopleManage  Permission = "people.manage"  // add and change staff, give and revoke tokens
	MetricsRead   Permission = "metrics.read"   // figures of the running system
	SessionManage Permission = "session.manage" // one's own: who am I, log out
)

const (
	reviewer = casefile.RoleReviewer
	senior   = casefile.RoleSenior
	lead     = casefile.RoleLead
	policy   = casefile.RolePolicy
	auditor  = casefile.RoleAuditor
	admin    = casefile.RoleAdmin
	service  = casefile.RoleService
)

var (
	judging = []casefile.Role{reviewer, senior, lead}
	looking = []casefile.Role{reviewer, senior, lead, policy, auditor}
)

// table says which roles hold which permission. A person with several roles holds all of theirs.
var table = map[Permission][]casefile.Role{
	FlagSubmit:   {service, senior, lead},
	FlagRead:     {service, reviewer, senior, lead, policy, auditor},
	QueueRead:    looking,
	CaseList:     looking,
	CaseFind:     looking,
	CaseRead:     looking,
	CaseNext:     judging,
	CaseClaim:    judging,
	CaseComment:  judging,
	CaseOpinion:  judging,
	CaseWithdraw: judging,
	CaseClose:    judging,
	CaseReopen:   {senior, lead},

	CaseSnooze:       judging,
	CaseHold:         judging,
	CaseHandOver:     judging,
	CaseEscalate:     judging,
	CaseDeadline:     {lead},
	CaseForceRelease: {lead},
	CaseRefer:        judging,
	CaseEmergency:    {senior, lead},
	CaseAdjudicate:   {lead},

	AppealOpen:  {service, senior, lead},
	AppealList:  looking,
	AppealClaim: judging,
	AppealRule:  judging,

	ActList:          {senior, lead, auditor, admin},
	ActPause:         {lead, admin},
	ActResume:        {lead, admin},
	ActSettle:        {senior, lead},
	SwitchRead:       {senior, lead, policy, auditor, admin},
	SwitchAutomation: {admin},
	BreakerArm:       {lead, admin},

	GlassBreak:   {policy, auditor, admin},
	GlassReview:  {lead, auditor},
	ReconcileRun: {auditor, admin},

	HoldManage:   {lead, policy},
	AccountErase: {policy},
	ErasureRead:  {lead, policy, auditor},
	ErasureWatch: {service},

	DecisionRead:  looking,
	DecisionFeed:  {service},
	AuditRead:     looking,
	WatchRead:     {lead, auditor},
	PolicyRead:    {reviewer, senior, lead, policy, auditor, admin},
	PeopleRead:    {lead, auditor, admin},
	PeopleManage:  {admin},
	MetricsRead:   {lead, policy, auditor, admin, service},
	SessionManage: casefile.Roles,
}

// Permissions lists all permissions, sorted.
func Permissions() []Permission {
	all := make([]Permission, 0, len(table))
	for p := range table {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// Allowed reports whether somebody with these roles may do p. Roles that must not stand together
// (CheckRoles) are allowed nothing, and so is an unknown permission.
func Allowed(roles []casefile.Role, p Permission) bool {
	_, ok := roleFor(roles, p)
	return ok
}

// seniority orders roles for RoleFor: what a person did goes on record under the highest role of
// theirs that allows it.
var seniority = []casefile.Role{lead, senior, reviewer, policy, auditor, admin, service}

func roleFor(roles []casefile.Role, p Permission) (casefile.Role, bool) {
	if CheckRoles(roles) != nil {
		return "", false
	}
	for _, r := range seniority {
		if slices.Contains(roles, r) && slices.Contains(table[p], r) {
			return r, true
		}
	}
	return "", false
}

// CheckRoles says whether roles may stand together; the error is CodeInvalid. A service holds no
// other role: a machine gives no opinion. An auditor gives none either, and manages nobody: they
// prove what others did.
func CheckRoles(roles []casefile.Role) error {
	if len(roles) == 0 {
		return casefile.Invalid("roles", "at least one role is required")
	}
	for _, r := range roles {
		if !r.Valid() {
			return casefile.Invalid("roles", "not a role: %q", r)
		}
	}
	if slices.Contains(roles, service) && len(slices.Compact(slices.Sorted(slices.Values(roles)))) > 1 {
		return casefile.Invalid("roles", "a service can hold no other role")
	}
	if slices.Contains(roles, auditor) {
		for _, r := range []casefile.Role{reviewer, senior, lead, admin} {
			if slices.Contains(roles, r) {
				return casefile.Invalid("roles", "an auditor cannot also be %s", r)
			}
		}
	}
	return nil
}
