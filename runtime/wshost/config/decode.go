package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// A decoded is the memoised result of a Decode.
type decoded struct {
	value any
	err   error
}

// Decode returns the section as a T, a struct whose fields are tagged `config:"name"` with the names of attributes,
// of child elements (struct fields) and, as `config:",collection"`, of the entries (a slice of structs). Fields are
// bool, string, uint32, int, int64, time.Duration and []string (flags). The result is made once per Effective, section
// and type and shared: callers must not change it. An error means that T does not fit the section's declaration.
//
// A field of type Pos tagged `config:",pos"` receives where the element was last written, a bool tagged
// `config:",server"` whether that was a file of the server level (a location tag of applicationHost.config included), a
// string tagged `config:",location"` the path of the location tag that it was written in ("" outside of one and for the
// level of the file), and a map[string]string tagged `config:",extra"` the unrecognised attributes of an element that
// allows them. Fields without tag are left alone. Defaults are filled in, also in child elements that nobody wrote.
func Decode[T any](e *Effective, section string) (*T, error) {
	st := e.state(section)
	if st == nil {
		return nil, fmt.Errorf("decode section %q: no loaded module declares it", section)
	}
	typ := reflect.TypeFor[T]()
	if d, ok := st.decoded.Load(typ); ok {
		return result[T](d.(*decoded))
	}
	v := new(T)
	d := &decoded{value: v}
	if typ.Kind() != reflect.Struct {
		d.err = fmt.Errorf("decode section %q: %s is not a struct", section, typ)
	} else if err := decodeElement(reflect.ValueOf(v).Elem(), st.root, st.root.decl); err != nil {
		d.err = fmt.Errorf("decode section %q into %s: %w", section, typ, err)
	}
	kept, _ := st.decoded.LoadOrStore(typ, d)
	return result[T](kept.(*decoded))
}

func result[T any](d *decoded) (*T, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.value.(*T), nil
}

// decodeElement fills a struct. e is nil for an element that nobody wrote.
func decodeElement(v reflect.Value, e *element, decl *elementDecl) error {
	if e == nil {
		e = newElement(decl)
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag, tagged := field.Tag.Lookup("config")
		if !tagged || tag == "-" {
			continue
		}
		if !field.IsExported() {
			return fmt.Errorf("field %s is not exported", field.Name)
		}
		if err := decodeField(v.Field(i), e, tag); err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
	}
	return nil
}

func decodeField(f reflect.Value, e *element, tag string) error {
	name, option, _ := strings.Cut(tag, ",")
	switch {
	case option == "collection" && name == "":
		return decodeItems(f, e)
	case option == "pos" && name == "" && f.Type() == reflect.TypeFor[Pos]():
		f.Set(reflect.ValueOf(e.at.pos()))
		return nil
	case option == "server" && name == "" && f.Kind() == reflect.Bool:
		f.SetBool(e.at.doc != nil && e.level == 0)
		return nil
	case option == "location" && name == "" && f.Kind() == reflect.String:
		f.SetString(e.loc)
		return nil
	case option == "extra" && name == "" && f.Type() == reflect.TypeFor[map[string]string]() && e.decl.AllowUnrecognizedAttributes:
		extra := make(map[string]string, len(e.extra))
		for _, a := range e.extra {
			extra[a.name] = a.value
		}
		f.Set(reflect.ValueOf(extra))
		return nil
	case option != "":
		return fmt.Errorf("tag %q does not fit it", tag)
	}
	if i, ok := e.decl.attrs[name]; ok {
		return decodeValue(f, &e.decl.Attributes[i], e.get(i))
	}
	if i, ok := e.decl.elems[name]; ok {
		if f.Kind() != reflect.Struct {
			return fmt.Errorf("element %q needs a struct, not %s", name, f.Type())
		}
		return decodeElement(f, e.kids[i], e.decl.kids[i])
	}
	return fmt.Errorf("<%s> has neither attribute nor element %q", e.decl.Name, name)
}

func decodeItems(f reflect.Value, e *element) error {
	if e.decl.add == nil {
		return fmt.Errorf("<%s> has no collection", e.decl.Name)
	}
	if f.Kind() != reflect.Slice || f.Type().Elem().Kind() != reflect.Struct {
		return fmt.Errorf("a collection needs a slice of structs, not %s", f.Type())
	}
	// A type that does not fit is told even when the collection is empty.
	if err := decodeElement(reflect.New(f.Type().Elem()).Elem(), nil, e.decl.add); err != nil {
		return err
	}
	if len(e.items) == 0 {
		return nil
	}
	out := reflect.MakeSlice(f.Type(), len(e.items), len(e.items))
	for i, item := range e.items {
		if err := decodeElement(out.Index(i), item, e.decl.add); err != nil {
			return err
		}
	}
	f.Set(out)
	return nil
}

func decodeValue(f reflect.Value, a *Attribute, v value) error {
	mismatch := fmt.Errorf("attribute %q is a %s and does not fit %s", a.Name, a.Type, f.Type())
	switch a.Type {
	case Bool:
		if f.Kind() != reflect.Bool {
			return mismatch
		}
		f.SetBool(v.num != 0)
	case String, Enum:
		if f.Kind() != reflect.String {
			return mismatch
		}
		f.SetString(v.text)
	case Flags:
		if f.Type() != reflect.TypeFor[[]string]() {
			return mismatch
		}
		if v.num != 0 {
			f.Set(reflect.ValueOf(strings.Split(v.text, ", ")))
		}
	case TimeSpan:
		if f.Type() != reflect.TypeFor[time.Duration]() {
			return mismatch
		}
		f.SetInt(v.num)
	default:
		if !holds(f.Kind(), a.Type) || f.Type() == reflect.TypeFor[time.Duration]() {
			return mismatch
		}
		if f.CanUint() {
			f.SetUint(uint64(v.num))
		} else {
			f.SetInt(v.num)
		}
	}
	return nil
}

// holds reports whether every value of an integer type fits a kind of field.
func holds(k reflect.Kind, t Type) bool {
	switch k {
	case reflect.Int64:
		return true
	case reflect.Int:
		return t != Int64 && (t != Uint || reflect.TypeFor[int]().Size() == 8)
	case reflect.Uint32, reflect.Uint64:
		return t == Uint
	}
	return false
}
