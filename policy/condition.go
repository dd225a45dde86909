package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/docket-triage/docket/casefile"
)

// Limits of one expression. The cost is in CEL's units: about one for each step of an evaluation.
const (
	maxExpressionBytes = 2000
	maxExpressionCost  = 100_000
)

// Variables of the conditions, by the names that rules use.
const (
	varPlatform = "platform"
	varCount    = "flags.count"
	varWeight   = "flags.weight"
	varPolicies = "flags.policies"
	varRules    = "flags.rules"
	varPosts    = "flags.posts"
)

// varFindings carries the findings of one evaluation to the functions below. Rules cannot write its
// name, so they reach findings by the functions alone.
const varFindings = "@findings"

// The functions are macros that hand the findings on. All but value answer for every finding; value
// answers CEL's unknown for a finding that is not known, never a number.
const (
	fnKnown   = "known"
	fnUnknown = "unknown"
	fnStatus  = "status"
	fnValue   = "value"
)

var findingsType = cel.OpaqueType("docket.Findings")

// newEnvironment makes the language that conditions are written in.
func newEnvironment() (*cel.Env, error) {
	asks := func(name string, result *cel.Type, answer func(*view, casefile.FindingKind) ref.Val) cel.EnvOption {
		return cel.Function("@"+name, cel.Overload("@"+name, []*cel.Type{findingsType, cel.StringType}, result,
			cel.BinaryBinding(func(f, kind ref.Val) ref.Val {
				return answer(f.(*view), casefile.FindingKind(kind.(types.String)))
			})))
	}
	return cel.NewEnv(
		cel.Variable(varPlatform, cel.StringType),
		cel.Variable(varCount, cel.IntType),
		cel.Variable(varWeight, cel.DoubleType),
		cel.Variable(varPolicies, cel.ListType(cel.StringType)),
		cel.Variable(varRules, cel.ListType(cel.StringType)),
		cel.Variable(varPosts, cel.IntType),
		cel.Variable(varFindings, findingsType),
		cel.CrossTypeNumericComparisons(true),
		asks(fnKnown, cel.BoolType, (*view).known),
		asks(fnUnknown, cel.BoolType, (*view).unknown),
		asks(fnStatus, cel.StringType, (*view).status),
		cel.Function("@"+fnValue, cel.Overload("@"+fnValue, []*cel.Type{findingsType, cel.StringType, cel.StringType}, cel.DoubleType,
			cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return args[0].(*view).value(casefile.FindingKind(args[1].(types.String)), string(args[2].(types.String)))
			}))),
		cel.Macros(
			cel.GlobalMacro(fnKnown, 1, expand(fnKnown)),
			cel.GlobalMacro(fnUnknown, 1, expand(fnUnknown)),
			cel.GlobalMacro(fnStatus, 1, expand(fnStatus)),
			cel.GlobalMacro(fnValue, 2, expand(fnValue)),
		),
	)
}

// expand turns known("score") into a call with the findings in front, and refuses what names no
// finding: a rule that asks for a misspelt one would never match, and nobody would see why.
func expand(name string) cel.MacroFactory {
	return func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		kind, ok := literal(args[0])
		if !ok {
			return nil, eh.NewError(args[0].ID(), "the finding must be named by a string in quotes")
		}
		names, ok := findingValues[casefile.FindingKind(kind)]
		if !ok {
			return nil, eh.NewError(args[0].ID(), fmt.Sprintf("there is no finding %q", kind))
		}
		if len(args) == 2 {
			value, ok := literal(args[1])
			if !ok {
				return nil, eh.NewError(args[1].ID(), "the value must be named by a string in quotes")
			}
			if !slices.Contains(names, value) {
				return nil, eh.NewError(args[1].ID(), fmt.Sprintf("the finding %q has no value %q; it has %s", kind, value, strings.Join(names, ", ")))
			}
		}
		return eh.NewCall("@"+name, append([]ast.Expr{eh.NewIdent(varFindings)}, args...)...), nil
	}
}

func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// compile checks an expression in full: syntax, types, names, policy codes and the most that it can
// cost.
func compile(env *cel.Env, text string, want *cel.Type) (cel.Program, error) {
	if len(text) > maxExpressionBytes {
		return nil, fmt.Errorf("expression of %d bytes; the limit is %d", len(text), maxExpressionBytes)
	}
	checked, issues := env.Compile(text)
	if issues != nil && issues.Err() != nil {
		var parts []string
		for _, e := range issues.Errors() {
			parts = append(parts, fmt.Sprintf("%s (character %d)", e.Message, e.Location.Column()+1))
		}
		return nil, errors.New(strings.Join(parts, "; "))
	}
	if !checked.OutputType().IsExactType(want) {
		return nil, fmt.Errorf("gives %s where %s is needed", checked.OutputType(), want)
	}
	err := checkCodes(checked)
	if err != nil {
		return nil, err
	}
	cost, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, fmt.Errorf("estimate the cost: %w", err)
	}
	if cost.Max > maxExpressionCost {
		return nil, fmt.Errorf("may cost %d steps; the limit is %d", cost.Max, maxExpressionCost)
	}
	program, err := env.Program(checked, cel.CostLimit(maxExpressionCost))
	if err != nil {
		return nil, fmt.Errorf("plan the expression: %w", err)
	}
	return program, nil
}

// checkCodes refuses text that looks like a policy code and is none.
func checkCodes(checked *cel.Ast) error {
	var bad string
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		s, ok := literal(e)
		if ok && strings.HasPrefix(strings.ToUpper(s), "VE") && !casefile.PolicyCode(s).Valid() {
			bad = s
		}
	}))
	if bad != "" {
		return fmt.Errorf("%q is not a policy code VE-00 to VE-12", bad)
	}
	return nil
}

// sizes bounds the variables for the estimate of cost.
type sizes struct{}

// EstimateSize gives the most that a variable, or an item of it, can hold.
func (sizes) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	path := element.Path()
	if len(path) == 0 {
		return nil
	}
	size := checker.SizeEstimate{Min: 0, Max: 200}
	if len(path) == 1 {
		switch path[0] {
		case varPolicies:
			size.Max = uint64(len(casefile.PolicyCodes))
		case varRules:
			size.Max = casefile.MaxFlagReasons
		}
	}
	return &size
}

// EstimateCallCost leaves the cost of calls to CEL.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// view is what one evaluation sees. It is the activation that answers for the variables, the value
// that answers for the findings, and the record of both. Used by one evaluation at a time.
type view struct {
	in       *Input
	findings map[casefile.FindingKind]casefile.FindingCode
	read     map[string]string
	// missed are the reads among them that met a finding that is not known.
	missed map[string]string
}

func newView(in *Input) (*view, error) {
	v := &view{in: in, findings: make(map[casefile.FindingKind]casefile.FindingCode, len(in.Findings))}
	for _, f := range in.Findings {
		_, twice := v.findings[f.Kind]
		if twice {
			return nil, casefile.Invalid("findings", "the finding %q stands twice", f.Kind)
		}
		v.findings[f.Kind] = f
	}
	v.reset()
	return v, nil
}

func (v *view) reset() {
	v.read, v.missed = map[string]string{}, map[string]string{}
}

// ResolveName answers for a variable and records that it was read.
func (v *view) ResolveName(name string) (any, bool) {
	f := &v.in.Flags
	switch name {
	case varPlatform:
		v.read[name] = v.in.Platform
		return v.in.Platform, true
	case varCount:
		v.read[name] = strconv.Itoa(f.Count)
		return int64(f.Count), true
	case varWeight:
		v.read[name] = formatNumber(f.Weight)
		return f.Weight, true
	case varPolicies:
		codes := make([]string, len(f.Policies))
		for i, p := range f.Policies {
			codes[i] = string(p)
		}
		v.read[name] = strings.Join(codes, " ")
		return codes, true
	case varRules:
		v.read[name] = strings.Join(f.Rules, " ")
		return f.Rules, true
	case varPosts:
		v.read[name] = strconv.Itoa(f.Posts)
		return int64(f.Posts), true
	case varFindings:
		return v, true
	}
	return nil, false
}

// Parent is nil: there is nothing around the view.
func (v *view) Parent() cel.Activation { return nil }

func (v *view) statusOf(kind casefile.FindingKind) casefile.FindingStatus {
	f, ok := v.findings[kind]
	if !ok {
		return casefile.StatusUnknown // never asked
	}
	switch f.Status {
	case casefile.StatusKnown, casefile.StatusFailed:
		return f.Status
	}
	return casefile.StatusUnknown
}

func (v *view) known(kind casefile.FindingKind) ref.Val {
	is := v.statusOf(kind) == casefile.StatusKnown
	v.read[callName(fnKnown, kind)] = strconv.FormatBool(is)
	return types.Bool(is)
}

func (v *view) unknown(kind casefile.FindingKind) ref.Val {
	is := v.statusOf(kind) != casefile.StatusKnown
	v.read[callName(fnUnknown, kind)] = strconv.FormatBool(is)
	return types.Bool(is)
}

func (v *view) status(kind casefile.FindingKind) ref.Val {
	s := v.statusOf(kind)
	v.read[callName(fnStatus, kind)] = string(s)
	return types.String(s)
}

func (v *view) value(kind casefile.FindingKind, name string) ref.Val {
	call := fmt.Sprintf("%s(%q,%q)", fnValue, string(kind), name)
	s := v.statusOf(kind)
	if s == casefile.StatusKnown {
		x, ok := v.findings[kind].Values[name]
		if ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
			v.read[call] = formatNumber(x)
			return types.Double(x)
		}
		s = casefile.StatusUnknown // a known finding need not hold every value
	}
	v.read[call], v.missed[call] = string(s), string(s)
	return types.NewUnknown(0, nil)
}

func callName(fn string, kind casefile.FindingKind) string {
	return fmt.Sprintf("%s(%q)", fn, string(kind))
}

func formatNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
