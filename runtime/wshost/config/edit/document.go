// Package edit changes an XML configuration file in place: an attribute, an element, an entry of a collection, a section
// in a location tag. Every byte outside of what is changed stays as it was: comments, order, white space, byte order
// mark, encoding, line ends and quotation marks; what is new is written in the style that the file has already.
//
// It is no XML parser: the standard library reads, and package edit works on the places that it reports. It knows no
// section and no schema: Validate asks the configuration tree what it would say of the edited text. It is no writer of
// files either: bytes go in, bytes come out, and whoever calls replaces the file.
package edit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// maxDepth bounds how deep elements may be nested; the configuration tree refuses more, too.
const maxDepth = 64

// Document is the text of a configuration file. Every change leaves a text that is well-formed.
type Document struct {
	bom   []byte
	saved config.Charset // the encoding of the file
	src   []byte         // as UTF-8, whatever the file is saved in
	root  *node
	style style
}

// A node is an element. Offsets are into Document.src.
type node struct {
	name       string // as written
	parent     *node
	attrs      []attribute
	kids       []*node
	start, end int // from < of the start tag to behind > of the end tag
	nameEnd    int
	open       int // behind > of the start tag
	close      int // at < of the end tag; -1 when the element closes itself
	content    int // behind the last thing inside that is not white space; open when there is none
}

// An attribute is an attribute as written.
type attribute struct {
	name, value              string
	start, valStart, valStop int
}

// Empty returns the text of a configuration file that says nothing.
func Empty() *Document {
	d, err := Parse([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n</configuration>\n"))
	if err != nil {
		panic(err) // the text is a constant
	}
	return d
}

// Parse reads the text of a configuration file. The error says why it cannot be edited; where the fault is, and what to
// do about it, the configuration tree says better.
func Parse(src []byte) (*Document, error) {
	d := &Document{}
	d.saved = config.CharsetOf(src)
	if text, ok := bytes.CutPrefix(src, []byte("\xef\xbb\xbf")); ok {
		d.bom, src = src[:3], text
	}
	if d.saved == config.UTF16 {
		return nil, errors.New("the text cannot be edited: it is UTF-16; save it as UTF-8 first")
	}
	decoded, bad := d.saved.Decode(src)
	if bad >= 0 {
		return nil, errors.New("the text cannot be edited: it is not in the encoding that it declares; save it as UTF-8 first")
	}
	d.src = bytes.Clone(decoded)
	if err := d.parse(); err != nil {
		return nil, err
	}
	d.style = d.styleOf()
	return d, nil
}

// Bytes returns the text, in the encoding that the file had. A character that this does not have is written as a reference.
func (d *Document) Bytes() []byte { return append(bytes.Clone(d.bom), d.saved.Encode(d.src)...) }

// parse reads d.src again.
func (d *Document) parse() error {
	dec := xml.NewDecoder(bytes.NewReader(d.src))
	// Which encodings are the same as UTF-8 here is the business of the configuration tree.
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	r := reader{doc: d}
	for {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = r.token(tok, start, int(dec.InputOffset()))
		}
		if err != nil {
			return fmt.Errorf("the text cannot be edited: %w", err)
		}
	}
	if r.root == nil {
		return errors.New("the text cannot be edited: it has no element")
	}
	d.root = r.root
	return nil
}

// A reader makes nodes of tokens.
type reader struct {
	doc   *Document
	root  *node
	stack []*node
}

func (r *reader) token(tok xml.Token, start, end int) error {
	var in *node
	if len(r.stack) > 0 {
		in = r.stack[len(r.stack)-1]
	}
	switch t := tok.(type) {
	case xml.StartElement:
		return r.open(in, t, start, end)
	case xml.EndElement:
		in.end, in.close = end, start
		if start == end { // what the decoder makes of <a/>
			in.close = -1
		}
		r.stack = r.stack[:len(r.stack)-1]
		if in.parent != nil {
			in.parent.content = end
		}
		return nil
	case xml.Directive:
		return errors.New("it has a document type declaration")
	case xml.CharData:
		if text := bytes.TrimRight(r.doc.src[start:end], " \t\r\n"); len(text) > 0 && in != nil {
			in.content = start + len(text)
		}
		return nil
	}
	if in != nil { // a comment, a processing instruction
		in.content = end
	}
	return nil
}

func (r *reader) open(in *node, t xml.StartElement, start, end int) error {
	n := &node{parent: in, start: start, open: end, content: end}
	if err := n.scan(r.doc.src[:end], t.Attr); err != nil {
		return err
	}
	switch {
	case in == nil && r.root != nil:
		return errors.New("it has two root elements")
	case len(r.stack) == maxDepth:
		return fmt.Errorf("its elements are nested deeper than %d", maxDepth)
	case in == nil:
		r.root = n
	default:
		in.kids = append(in.kids, n)
	}
	r.stack = append(r.stack, n)
	return nil
}

// scan finds the places of the name and of the attributes in the start tag at n.start, with which src ends. The values
// come from the decoder, in the same order; it lets doubled attributes pass.
func (n *node) scan(src []byte, values []xml.Attr) error {
	j := n.start + 1 + bytes.IndexAny(src[n.start+1:], " \t\r\n/>")
	n.name, n.nameEnd = string(src[n.start+1:j]), j
	for _, v := range values {
		i := skipSpace(src, j)
		if i == j {
			return fmt.Errorf("white space is missing before an attribute of <%s>", n.name)
		}
		j = i + bytes.IndexAny(src[i:], " \t\r\n=")
		a := attribute{name: string(src[i:j]), value: v.Value, start: i}
		i = skipSpace(src, skipSpace(src, j)+1) // the equals sign
		a.valStart = i + 1
		a.valStop = a.valStart + bytes.IndexByte(src[a.valStart:], src[i])
		j = a.valStop + 1
		if n.attr(a.name) != nil {
			return fmt.Errorf("<%s> has the attribute %q twice", n.name, a.name)
		}
		n.attrs = append(n.attrs, a)
	}
	return nil
}

func (n *node) attr(name string) *attribute {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return &n.attrs[i]
		}
	}
	return nil
}

// splice replaces the text between two offsets. Text that makes the file unreadable is not taken.
func (d *Document) splice(from, to int, text string) error {
	old, root := d.src, d.root
	d.src = append(append(bytes.Clone(old[:from]), text...), old[to:]...)
	if err := d.parse(); err != nil {
		d.src, d.root = old, root
		return err
	}
	return nil
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && strings.IndexByte(" \t\r\n", src[i]) >= 0 {
		i++
	}
	return i
}
