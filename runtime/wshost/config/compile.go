package config

import (
	"errors"
	"fmt"
	"strings"
)

// An elementDecl is an element made ready for use: names are looked up, not searched, and defaults are parsed.
type elementDecl struct {
	*Element
	attrs    map[string]int
	elems    map[string]int
	defaults []value
	kids     []*elementDecl
	add      *elementDecl // entries of the collection, or nil
	keys     []int        // key attributes of an entry
	secrets  bool         // it or an element below has a secret attribute
}

// The names of attributes that every element has: fine-grained locks and the order of a collection.
const (
	attrLockAttributes       = "lockAttributes"
	attrLockAttributesExcept = "lockAllAttributesExcept"
	attrLockElements         = "lockElements"
	attrLockElementsExcept   = "lockAllElementsExcept"
	attrLockItem             = "lockItem"
	attrMergeAppend          = "mergeAppend"
	attrConfigSource         = "configSource"
)

func (sec *sectionDecl) compile() error {
	if sec.OverrideModeDefault == "" {
		sec.OverrideModeDefault = Allow
	}
	if sec.AllowDefinition == "" {
		sec.AllowDefinition = Everywhere
	}
	var faults []error
	if last := sec.Path[strings.LastIndexByte(sec.Path, '/')+1:]; last != sec.Element.Name {
		faults = append(faults, fmt.Errorf("its element is named %q", sec.Element.Name))
	}
	if sec.OverrideModeDefault != Allow && sec.OverrideModeDefault != Deny {
		faults = append(faults, fmt.Errorf("overrideModeDefault %q", sec.OverrideModeDefault))
	}
	switch sec.AllowDefinition {
	case Everywhere, MachineToApplication, AppHostOnly:
	default:
		faults = append(faults, fmt.Errorf("allowDefinition %q", sec.AllowDefinition))
	}
	faults = append(faults, sec.root.compile(&sec.Element, "")...)
	for _, name := range sec.LockAttributes {
		if _, ok := sec.root.attrs[name]; !ok && name != "*" {
			faults = append(faults, fmt.Errorf("locked attribute %q is not declared", name))
		}
	}
	sec.defaults = sec.newState()
	return errors.Join(faults...)
}

func (d *elementDecl) compile(e *Element, path string) (faults []error) {
	path = join(path, e.Name)
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("element %q: "+format, append([]any{path}, args...)...))
	}
	*d = elementDecl{Element: e, attrs: map[string]int{}, elems: map[string]int{}}
	if e.Name == "" {
		fault("it has no name")
	}
	for i := range e.Attributes {
		a := &e.Attributes[i]
		if _, double := d.attrs[a.Name]; double || a.Name == "" || reserved(a.Name) {
			fault("attribute %q is declared twice or its name is reserved", a.Name)
		}
		v, err := a.defaultValue()
		if err != nil {
			fault("default of %q: %v", a.Name, err)
		}
		d.attrs[a.Name] = i
		d.defaults = append(d.defaults, v)
		d.secrets = d.secrets || a.Secret
		if a.Key {
			d.keys = append(d.keys, i)
		}
	}
	for i := range e.Elements {
		kid := &elementDecl{}
		faults = append(faults, kid.compile(&e.Elements[i], path)...)
		if _, double := d.elems[kid.Name]; double {
			fault("element %q is declared twice", kid.Name)
		}
		d.elems[kid.Name] = i
		d.kids = append(d.kids, kid)
		d.secrets = d.secrets || kid.secrets
	}
	if c := e.Collection; c != nil {
		d.add = &elementDecl{}
		faults = append(faults, d.add.compile(&c.Add, path)...)
		d.secrets = d.secrets || d.add.secrets
		if len(d.add.keys) == 0 && (!c.AllowDuplicates || c.Remove != "") {
			fault("its collection has no key")
		}
		for i, name := range []string{c.Add.Name, c.Remove, c.Clear} {
			_, element := d.elems[name]
			if element || i > 0 && name != "" && (name == c.Add.Name || i == 2 && name == c.Remove) {
				fault("directive %q is ambiguous", name)
			}
		}
	}
	return faults
}

func reserved(name string) bool {
	switch name {
	case attrLockAttributes, attrLockAttributesExcept, attrLockElements, attrLockElementsExcept, attrLockItem, attrMergeAppend, attrConfigSource:
		return true
	}
	return false
}

// defaultValue parses the default and checks the declaration of the attribute on the way. The default of IIS may lie
// outside of its own range or be empty where a value must not be: only the type is checked.
func (a *Attribute) defaultValue() (value, error) {
	if (a.Type == Enum || a.Type == Flags) && len(a.Values) == 0 {
		return value{}, errors.New("it names no values")
	}
	if a.Default != "" || a.Type == String {
		return a.parse(a.Default)
	}
	switch a.Type {
	case Bool:
		return value{text: "false"}, nil
	case Enum:
		for _, v := range a.Values {
			if v.Value == 0 {
				return value{text: v.Name}, nil
			}
		}
		return value{}, nil
	case Flags, Uint, Int, Int64, TimeSpan:
		return value{text: "0"}, nil
	}
	return value{}, fmt.Errorf("unknown type %q", a.Type)
}
