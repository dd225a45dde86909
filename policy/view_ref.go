package policy

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// The methods below make a view a CEL value, so that the functions of conditions can be handed the
// findings of the evaluation they belong to. It converts to nothing and equals itself alone.

// ConvertToNative refuses: a view is only ever handed to the functions of this package.
func (v *view) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("findings have no form as %s", t)
}

// ConvertToType refuses, as ConvertToNative does.
func (v *view) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("findings have no form as %s", t.TypeName())
}

// Equal compares by identity.
func (v *view) Equal(other ref.Val) ref.Val {
	o, ok := other.(*view)
	return types.Bool(ok && o == v)
}

// Type is the opaque type that the functions take.
func (v *view) Type() ref.Type { return findingsType }

// Value is the view itself.
func (v *view) Value() any { return v }
