package formatstest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const module = "github.com/docket-triage/docket"

// Mode says what a schema's required fields are held to.
type Mode int

// The modes.
const (
	// Read is a format that others write: what the schema requires, Go always writes.
	Read Mode = iota
	// Written is a format that Docket alone writes: what Go always writes, the schema requires.
	Written
)

// opaque marks a schema ("$comment") whose content is nobody's business outside the code.
const opaque = "opaque"

// SameFields fails unless a schema and the type of v have the same fields of the same kinds, down to
// the last object, and the same values where a field is one of a list of constants.
func SameFields(t testing.TB, schema string, v any, mode Mode) {
	t.Helper()
	w := walker{t: t, mode: mode, seen: map[string]bool{}}
	w.same(schema, reflect.TypeOf(v), views(Schema(t, schema)))
}

// views are a schema and all that it refers to or demands besides: its fields are those of them all.
func views(s *jsonschema.Schema) []*jsonschema.Schema {
	if s == nil {
		return nil
	}
	out := []*jsonschema.Schema{s}
	out = append(out, views(s.Ref)...)
	for _, a := range s.AllOf {
		out = append(out, views(a)...)
	}
	return out
}

type walker struct {
	t    testing.TB
	mode Mode
	seen map[string]bool // types with the schema that they were held to
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
	numType  = reflect.TypeFor[json.Number]()
)

func (w *walker) same(at string, typ reflect.Type, list []*jsonschema.Schema) {
	w.t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for _, s := range list {
		if s.Comment == opaque || s.Bool != nil && !*s.Bool {
			return
		}
	}
	switch {
	case typ == timeType:
		w.kind(at, "string", list)
		require.True(w.t, slices.ContainsFunc(list, func(s *jsonschema.Schema) bool { return s.Format != nil && s.Format.Name == "date-time" }), "%s: a time needs the format date-time", at)
		return
	case typ == rawType:
		return
	case typ == numType:
		w.kind(at, "integer", list)
		return
	}
	switch typ.Kind() {
	case reflect.Struct:
		w.kind(at, "object", list)
		w.object(at, typ, list)
	case reflect.Map:
		w.kind(at, "object", list)
		w.mapping(at, typ, list)
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Uint8 {
			w.kind(at, "string", list)
			require.True(w.t, slices.ContainsFunc(list, func(s *jsonschema.Schema) bool { return s.ContentEncoding != nil }), "%s: bytes need a contentEncoding", at)
			return
		}
		w.kind(at, "array", list)
		var items []*jsonschema.Schema
		for _, s := range list {
			items = append(items, views(s.Items2020)...)
		}
		require.NotEmpty(w.t, items, "%s: the schema does not say what the list holds", at)
		w.same(at+"[]", typ.Elem(), items)
	case reflect.String:
		w.text(at, typ, list)
	case reflect.Bool:
		w.kind(at, "boolean", list)
	case reflect.Float64:
		w.kind(at, "number", list)
	default:
		require.True(w.t, typ.Kind() >= reflect.Int && typ.Kind() <= reflect.Uint64, "%s: a %s has no place in a format", at, typ)
		w.kind(at, "integer", list)
	}
}

// kind holds the schema to a type of JSON. A schema of constants alone says its type by them.
func (w *walker) kind(at, want string, list []*jsonschema.Schema) {
	w.t.Helper()
	said := false
	for _, s := range list {
		if s.Types != nil {
			said = true
			require.Contains(w.t, s.Types.ToStrings(), want, "%s: the schema's type", at)
		}
		said = said || s.Enum != nil || s.Const != nil
	}
	require.True(w.t, said, "%s: the schema says no type", at)
}

func (w *walker) object(at string, typ reflect.Type, list []*jsonschema.Schema) {
	w.t.Helper()
	key := typ.String() + " " + list[0].Location
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	props, required := map[string][]*jsonschema.Schema{}, map[string]bool{}
	for _, s := range list {
		for name, p := range s.Properties {
			props[name] = append(props[name], views(p)...)
		}
		for _, name := range s.Required {
			required[name] = true
		}
	}
	fields, always := jsonFields(typ)
	require.Equal(w.t, slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(props)), "%s: fields of %s and of the schema", at, typ)
	switch w.mode {
	case Written:
		require.Equal(w.t, slices.Sorted(maps.Keys(always)), slices.Sorted(maps.Keys(required)), "%s: what %s always writes and what the schema requires", at, typ)
	default:
		for name := range required {
			if !always[name] && name != "id" { // an event's kind decides whether it has an id
				require.True(w.t, always[name], "%s.%s: required, but %s may leave it out", at, name, typ)
			}
		}
	}
	for name, field := range fields {
		w.same(at+"."+name, field, props[name])
	}
}

// jsonFields are the fields of a struct as encoding/json names them, embedded ones among them, and
// those that are always written.
func jsonFields(typ reflect.Type) (fields map[string]reflect.Type, always map[string]bool) {
	fields, always = map[string]reflect.Type{}, map[string]bool{}
	for _, f := range reflect.VisibleFields(typ) {
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || name == "-" || f.Anonymous && !tagged {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = f.Type
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			always[name] = true
		}
	}
	return fields, always
}

func (w *walker) mapping(at string, typ reflect.Type, list []*jsonschema.Schema) {
	w.t.Helper()
	var values, names []*jsonschema.Schema
	for _, s := range list {
		more, ok := s.AdditionalProperties.(*jsonschema.Schema)
		if ok {
			values = append(values, views(more)...)
		}
		names = append(names, views(s.PropertyNames)...)
	}
	require.NotEmpty(w.t, values, "%s: the schema does not say what the map holds", at)
	if typ.Key() != reflect.TypeFor[string]() {
		w.text(at+" keys", typ.Key(), names)
	}
	w.same(at+"{}", typ.Elem(), values)
}

// text holds a string to its constants, where its type has any: the schema lists them all. Beside
// that list it may have a narrower one, and the empty text may stand for none of them.
func (w *walker) text(at string, typ reflect.Type, list []*jsonschema.Schema) {
	w.t.Helper()
	want := slices.DeleteFunc(Constants(w.t, typ), func(v string) bool { return v == "" })
	if len(want) == 0 {
		w.kind(at, "string", list)
		return
	}
	var widest []string
	for _, s := range list {
		if s.Enum == nil {
			continue
		}
		var values []string
		for _, v := range s.Enum.Values {
			if v != "" {
				values = append(values, v.(string))
			}
		}
		require.Subset(w.t, want, values, "%s: values of the schema that are no constants of %s", at, typ)
		if len(values) > len(widest) {
			widest = values
		}
	}
	require.ElementsMatch(w.t, want, widest, "%s: the constants of %s and the schema's", at, typ)
}

// Constants are the values of the constants of a named string type of this module; none for others.
func Constants(t testing.TB, typ reflect.Type) []string {
	t.Helper()
	folder, ours := strings.CutPrefix(typ.PkgPath(), module)
	if !ours {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(Root(t), filepath.FromSlash(folder), "*.go"))
	require.NoError(t, err)
	var out []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			decl, ok := d.(*ast.GenDecl)
			if ok && decl.Tok == token.CONST {
				out = append(out, constantsOf(t, decl, typ.Name())...)
			}
		}
	}
	return out
}

func constantsOf(t testing.TB, decl *ast.GenDecl, typ string) []string {
	t.Helper()
	var out []string
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		name, ok := v.Type.(*ast.Ident)
		if !ok || name.Name != typ {
			continue
		}
		for _, value := range v.Values {
			lit, ok := value.(*ast.BasicLit)
			require.True(t, ok, "a constant of %s is no literal", typ)
			s, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			out = append(out, s)
		}
	}
	return out
}
