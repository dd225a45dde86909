package config

import (
	"reflect"
	"strings"
	"time"
)

// kind is what a key may hold.
type kind int

const (
	kindText kind = iota
	kindSecret
	kindWhole    // a whole number
	kindBool     //
	kindDuration //
	kindTexts    // a list of texts
	kindSection  // keys of its own
	kindSections // a list of sections
)

// key is one key of the file, with those below it.
type key struct {
	name string
	path string
	kind kind
	keys []key // of a section, or of each item of a list of sections
}

// schema are all keys, as the fields of Config say.
var schema = keysOf(reflect.TypeFor[Config](), "")

func keysOf(t reflect.Type, under string) []key {
	var out []key
	for f := range fieldsOf(t) {
		k := key{name: f.Tag.Get("koanf")}
		k.path = join(under, k.name)
		k.kind = kindOf(f.Type)
		switch k.kind {
		case kindSection:
			k.keys = keysOf(f.Type, k.path)
		case kindSections:
			k.keys = keysOf(f.Type.Elem(), k.path)
		}
		out = append(out, k)
	}
	return out
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

func kindOf(t reflect.Type) kind {
	switch {
	case t == reflect.TypeFor[Secret]():
		return kindSecret
	case t == reflect.TypeFor[time.Duration]():
		return kindDuration
	case t == reflect.TypeFor[[]string]():
		return kindTexts
	}
	switch t.Kind() {
	case reflect.String:
		return kindText
	case reflect.Int:
		return kindWhole
	case reflect.Bool:
		return kindBool
	case reflect.Struct:
		return kindSection
	case reflect.Slice:
		return kindSections
	}
	panic("config: no kind of key for " + t.String())
}

func join(under, name string) string {
	if under == "" {
		return name
	}
	return under + "." + name
}

func find(keys []key, name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func names(keys []key) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return strings.Join(out, ", ")
}

// single are the keys with one value, which flags and the environment can set.
func single(keys []key) []key {
	var out []key
	for _, k := range keys {
		switch k.kind {
		case kindSection:
			out = append(out, single(k.keys)...)
		case kindSections:
		default:
			out = append(out, k)
		}
	}
	return out
}

// variable is the name of the environment variable of a key.
func (k key) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// variablePrefix begins the name of each of our environment variables.
const variablePrefix = "DOCKET_"

// KeyInfo describes one key.
type KeyInfo struct {
	Path     string // such as records.sqlite, or platforms[].name
	Name     string // the last part of Path
	Secret   bool   // it can be set in the environment alone
	Variable string // the environment variable that sets it; "" for none
}

// Describe gives every key that holds a value, in the order of the example.
func Describe() []KeyInfo { return describe(schema, "") }

func describe(keys []key, under string) []KeyInfo {
	var out []KeyInfo
	for _, k := range keys {
		path := join(under, k.name)
		switch k.kind {
		case kindSection:
			out = append(out, describe(k.keys, path)...)
		case kindSections:
			out = append(out, describe(k.keys, path+"[]")...)
		default:
			info := KeyInfo{Path: path, Name: k.name, Secret: k.kind == kindSecret}
			if path == k.path {
				info.Variable = k.variable()
			}
			out = append(out, info)
		}
	}
	return out
}
