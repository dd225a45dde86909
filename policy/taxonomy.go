package policy

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// Code is one code of the taxonomy with the texts that reviewers see.
type Code struct {
	Code       casefile.PolicyCode `json:"code"`
	Name       string              `json:"name"`
	Definition string              `json:"definition"`
	// Floor says in words which actions fit; Min and Max bound them on the ladder. Both are "" for
	// VE-11, whose floor is that of the account it continues.
	Floor string          `json:"floor"`
	Min   casefile.Action `json:"min,omitempty"`
	Max   casefile.Action `json:"max,omitempty"`
	// Escalate is set where somebody on call is told at once, whatever is decided.
	Escalate bool `json:"escalate,omitempty"`
	// DSA are the categories of the Commission's transparency database, the main one first; empty
	// for VE-00.
	DSA []DSACategory `json:"dsa,omitempty"`
	// TCO are the letters of Regulation (EU) 2021/784, Article 2(7), that the code falls under.
	TCO []string `json:"tco,omitempty"`
}

// DSACategory is a category and a keyword of the transparency database, by its own names.
type DSACategory struct {
	Category string `json:"category"`
	Keyword  string `json:"keyword,omitempty"`
}

// Names of the transparency database that the taxonomy uses.
const (
	categorySecurity = "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY"
	categoryViolence = "STATEMENT_CATEGORY_VIOLENCE"
	categorySpeech   = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"
	categoryScams    = "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"
	categoryTerms    = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"

	keywordTerrorist     = "KEYWORD_TERRORIST_CONTENT"
	keywordOrganizations = "KEYWORD_ILLEGAL_ORGANIZATIONS"
	keywordHarm          = "KEYWORD_COORDINATED_HARM"
	keywordIncitement    = "KEYWORD_INCITEMENT_VIOLENCE_HATRED"
	keywordHate          = "KEYWORD_HATE_SPEECH"
	keywordInauthentic   = "KEYWORD_INAUTHENTIC_ACCOUNTS"
	keywordOther         = "KEYWORD_OTHER"
)

var taxonomy = []Code{
	{
		Code: casefile.VE00, Name: "No violation",
		Definition: "Nothing here breaks the policy; a false match counts as this too.",
		Floor:      "L0: release, and tell the source of the flag",
		Min:        casefile.L0, Max: casefile.L0,
	},
	{
		Code: casefile.VE01, Name: "Imminent credible threat",
		Definition: "Names a target, a time or means of an attack, or states the intent to attack.",
		Floor:      "L6, and escalate to the person on call at once",
		Min:        casefile.L6, Max: casefile.L6, Escalate: true,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}, {categoryViolence, keywordHarm}},
		TCO: []string{"e"},
	},
	{
		Code: casefile.VE02, Name: "Perpetrator content",
		Definition: "Footage or a manifesto made by the attacker, or an accomplice, of a designated event.",
		Floor:      "L4 for the content; L6 where the account belongs to the perpetrator",
		Min:        casefile.L4, Max: casefile.L6,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}},
		TCO: []string{"a"},
	},
	{
		Code: casefile.VE03, Name: "Entity representation",
		Definition: "The account is, or claims to be, a designated entity, its leader or its media arm.",
		Floor:      "L6",
		Min:        casefile.L6, Max: casefile.L6,
		DSA: []DSACategory{{categorySecurity, keywordOrganizations}},
		TCO: []string{"c"},
	},
	{
		Code: casefile.VE04, Name: "Material support and fundraising",
		Definition: "Money, logistics, hosting or directories of channels for a designated entity.",
		Floor:      "L6",
		Min:        casefile.L6, Max: casefile.L6,
		DSA: []DSACategory{{categorySecurity, keywordOrganizations}},
		TCO: []string{"b"},
	},
	{
		Code: casefile.VE05, Name: "Recruitment or solicitation",
		Definition: "Invites others to join a violent extremist entity or to contribute to it.",
		Floor:      "L5 to L6",
		Min:        casefile.L5, Max: casefile.L6,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}},
		TCO: []string{"b", "c"},
	},
	{
		Code: casefile.VE06, Name: "Instruction",
		Definition: "Teaches weapons, explosives or methods of attack for a violent purpose.",
		Floor:      "L5 to L6",
		Min:        casefile.L5, Max: casefile.L6,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}},
		TCO: []string{"d"},
	},
	{
		Code: casefile.VE07, Name: "Incitement to violence",
		Definition: "Calls for violence in an ideological cause; no entity is needed.",
		Floor:      "L4 to L5",
		Min:        casefile.L4, Max: casefile.L5,
		DSA: []DSACategory{{categoryViolence, keywordIncitement}},
		TCO: []string{"a"},
	},
	{
		Code: casefile.VE08, Name: "Glorification",
		Definition: "Praises an attack, an attacker or a designated entity.",
		Floor:      "L3 to L5",
		Min:        casefile.L3, Max: casefile.L5,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}},
		TCO: []string{"a"},
	},
	{
		Code: casefile.VE09, Name: "Propaganda distribution",
		Definition: "Shares official or branded material of an entity without a context of M1 to M7.",
		Floor:      "L3 to L5",
		Min:        casefile.L3, Max: casefile.L5,
		DSA: []DSACategory{{categorySecurity, keywordTerrorist}},
		TCO: []string{"a", "c"},
	},
	{
		Code: casefile.VE10, Name: "Violent hateful ideology",
		Definition: "Denies a group its humanity or calls for its exclusion by violence, whichever the group.",
		Floor:      "L3 to L4",
		Min:        casefile.L3, Max: casefile.L4,
		DSA: []DSACategory{{categorySpeech, keywordHate}},
	},
	{
		Code: casefile.VE11, Name: "Network operation and ban evasion",
		Definition: "Continues, backs up or coordinates with an account that was terminated.",
		Floor:      "that of the account it continues, at most L6",
		DSA:        []DSACategory{{categoryScams, keywordInauthentic}, {Category: categorySecurity}},
	},
	{
		Code: casefile.VE12, Name: "Borderline or unclear reference",
		Definition: "A symbol, a slogan or ambiguous praise whose purpose is not established.",
		Floor:      "L1 to L2, by a person only",
		Min:        casefile.L1, Max: casefile.L2,
		DSA: []DSACategory{{categoryTerms, keywordOther}},
	},
}

// Taxonomy lists every policy code in order, VE-00 first. The caller owns the result.
func Taxonomy() []Code {
	out := slices.Clone(taxonomy)
	for i := range out {
		out[i].DSA = slices.Clone(out[i].DSA)
		out[i].TCO = slices.Clone(out[i].TCO)
	}
	return out
}

// LookupCode gives a code's entry; ok is false for what is not in the taxonomy.
func LookupCode(c casefile.PolicyCode) (code Code, ok bool) {
	i := slices.IndexFunc(taxonomy, func(t Code) bool { return t.Code == c })
	if i < 0 {
		return Code{}, false
	}
	return Taxonomy()[i], true
}

// Fits reports whether an action lies within the code's floor. A code without bounds takes every
// action up to L6.
func (c Code) Fits(a casefile.Action) bool {
	n := a.Severity()
	if n < 0 {
		return false
	}
	if c.Min == "" {
		return true
	}
	return n >= c.Min.Severity() && n <= c.Max.Severity()
}

// Tier is one entity tier with the text that reviewers see.
type Tier struct {
	Tier casefile.EntityTier `json:"tier"`
	Name string              `json:"name"`
}

// EntityTiers lists the entity tiers in order.
func EntityTiers() []Tier {
	return []Tier{
		{casefile.E0, "No entity"},
		{casefile.E1, "Legally designated in a jurisdiction where the service operates"},
		{casefile.E2, "Designated elsewhere, or designated by the platform as a terrorist or hate organisation"},
		{casefile.E3, "Violent non-state actor"},
		{casefile.E4, "Network that induces violence, without a formal organisation"},
	}
}

// Mitigation is one legitimate context with the question that an opinion answers on it.
type Mitigation struct {
	Mitigation casefile.Mitigation `json:"mitigation"`
	Name       string              `json:"name"`
	Question   string              `json:"question"`
}

// Mitigations lists the eight in order. An opinion answers each of them.
func Mitigations() []Mitigation {
	return []Mitigation{
		{casefile.M1, "News", "Does it report news?"},
		{casefile.M2, "Education or research", "Does it teach or study the subject?"},
		{casefile.M3, "Counter-speech", "Does it condemn or argue against violent extremism?"},
		{casefile.M4, "Documentation", "Does it document abuses or keep evidence of them?"},
		{casefile.M5, "Art or satire", "Is it art or satire?"},
		{casefile.M6, "Polemic", "Is it political speech or controversy, however sharp?"},
		{casefile.M7, "Other meaning", "Is the term or symbol reclaimed, or used in a meaning that is not extremist?"},
		{casefile.M8, "Minor or at-risk person", "Does it seem to come from a minor or a person at risk, who needs support?"},
	}
}
