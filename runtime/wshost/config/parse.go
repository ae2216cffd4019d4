package config

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A parser turns the source of a file into a document.
type parser struct {
	doc   *document
	dec   *xml.Decoder
	stack []*node
	count int
	last  int     // end of the last token that was understood
	saved Charset // of the file that doc.src was made of
}

// parse reads a configuration file. The document is returned with an error too, as far as it was understood.
func parse(file string, src []byte, schema *Schema) (*document, *Error) {
	return parseFragment(file, src, schema, nil)
}

// parseFragment reads a file whose root is an element of its own, or with nil that of a configuration.
func parseFragment(file string, src []byte, schema *Schema, fragment *elementDecl) (*document, *Error) {
	if len(src) > maxFileSize {
		return nil, tooLarge(file)
	}
	src, saved, err := toUTF8(file, src)
	if err != nil {
		return nil, err
	}
	p := &parser{doc: newDocument(file, src, schema), dec: xml.NewDecoder(bytes.NewReader(src)), saved: saved}
	p.doc.fragment = fragment
	p.dec.CharsetReader = p.charset
	if err := p.run(); err != nil {
		return p.doc, err
	}
	return p.doc, nil
}

// longHint is the next step for a file that is too long for a good reason.
const longHint = `move a long section into a file of its own, which the section names: <section configSource="file.config" />`

func tooLarge(file string) *Error {
	return &Error{Pos: Pos{File: file}, HResult: HResultMalformed, Message: fmt.Sprintf("the file is larger than %d MiB", maxFileSize>>20), Hint: longHint}
}

func (p *parser) run() *Error {
	for {
		start := int(p.dec.InputOffset())
		p.last = start
		tok, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p.notWellFormed(err)
		}
		var fault *Error
		switch t := tok.(type) {
		case xml.StartElement:
			fault = p.open(start, t)
		case xml.EndElement:
			p.stack[len(p.stack)-1].end = int(p.dec.InputOffset())
			p.stack = p.stack[:len(p.stack)-1]
		case xml.CharData:
			fault = p.text(start, t)
		case xml.ProcInst:
			switch {
			case t.Target == "xml" && start != 0:
				fault = p.broken(start, "the XML declaration must be the very first thing in the file", "delete what stands before <?xml")
			case t.Target != "xml" && strings.EqualFold(t.Target, "xml"): // XML 1.0, section 2.6
				fault = p.broken(start, "the XML declaration is not written in lower case", "write <?xml")
			}
		case xml.Directive:
			fault = p.broken(start, "document type and entity declarations are not allowed", "delete the <!...> declaration; a configuration file needs none")
		case xml.Comment:
			p.doc.comments = append(p.doc.comments, [2]int{start, int(p.dec.InputOffset())})
		}
		if fault != nil {
			return fault
		}
	}
	if p.doc.root == nil {
		return p.broken(len(p.doc.src), "the file has no element", "the root element of a configuration file is <configuration>")
	}
	return nil
}

func (p *parser) open(start int, t xml.StartElement) *Error {
	end := int(p.dec.InputOffset())
	n := &node{doc: p.doc, start: start, end: len(p.doc.src), text: -1}
	if msg, off := n.scan(p.doc.src[:end], t.Attr); msg != "" {
		hint := ""
		if len(t.Attr) > maxAttributes {
			hint = "no element needs that many: look for a quotation mark that is missing"
		}
		return p.broken(off, msg, hint)
	}
	switch {
	case len(p.stack) == 0 && p.doc.root != nil:
		return p.broken(start, fmt.Sprintf("a second root element <%s>", n.name), "a file has one root element, <configuration>")
	case len(p.stack) == maxDepth:
		return p.broken(start, fmt.Sprintf("elements are nested deeper than %d", maxDepth), "no section needs that: look for start tags whose end tag is missing")
	case p.count == maxElements:
		return p.broken(start, fmt.Sprintf("the file has more than %d elements", maxElements), longHint)
	}
	p.count++
	if len(p.stack) == 0 {
		p.doc.root = n
	} else {
		parent := p.stack[len(p.stack)-1]
		parent.kids = append(parent.kids, n)
	}
	p.stack = append(p.stack, n)
	return nil
}

func (p *parser) text(start int, t xml.CharData) *Error {
	if len(bytes.Trim(t, blank)) == 0 || len(p.stack) > 0 && len(bytes.TrimSpace(t)) == 0 {
		return nil
	}
	raw := p.doc.src[start:]
	off := start + len(raw) - len(bytes.TrimLeft(raw, blank))
	if len(p.stack) > 0 {
		if n := p.stack[len(p.stack)-1]; n.text < 0 {
			n.text = off
		}
		return nil
	}
	if p.doc.root == nil {
		return p.broken(off, "there is text before the root element", "delete what stands before the first <")
	}
	return p.broken(off, fmt.Sprintf("there is text after the end of <%s>", p.doc.root.name), "delete what stands after the last >")
}

// broken returns the error of a file that is not well-formed, or not acceptable as a whole.
func (p *parser) broken(off int, message, hint string) *Error {
	return &Error{Pos: p.doc.pos(off), HResult: HResultMalformed, Message: clip(message), Hint: hint, Source: p.doc.excerpt(off, p.tail(off), p.plain(off))}
}

// tail is the offset from which nothing may be shown of a file that is broken at off: the source behind the fault has
// not been understood and may belong to a section that is not ours.
func (p *parser) tail(off int) int {
	src := p.doc.src
	hide := len(src)
	if i := bytes.IndexByte(src[min(off, len(src)):], '<'); i >= 0 {
		hide = off + i
	}
	if p.last >= len(src) || p.last > off {
		return hide
	}
	rest := src[p.last:]
	name := rest[min(1, len(rest)):]
	name = name[:len(name)-len(bytes.TrimLeft(name, nameBytes))]
	switch {
	case rest[0] != '<' || len(name) == 0: // text, comment, declaration or an end tag
		if bytes.HasPrefix(rest, []byte("<!--")) || len(p.stack) < 2 && !bytes.HasPrefix(rest, []byte("</")) {
			hide = min(hide, p.last)
		}
	case !p.shown(string(name)):
		hide = min(hide, p.last+1+len(name))
	case hide == p.last:
		hide = p.last + 1 + len(name)
		if i := bytes.IndexByte(src[hide:], '<'); i >= 0 {
			return hide + i
		}
		return len(src)
	}
	return hide
}

// shown reports whether the attributes of an element that could not be read may be shown.
func (p *parser) shown(name string) bool {
	if p.doc.fragment != nil {
		if len(p.stack) > 0 {
			name = p.stack[0].name
		}
		return !p.doc.fragment.secrets && name == p.doc.fragment.Name
	}
	path := ""
	for i, n := range append(p.stack[:len(p.stack):len(p.stack)], &node{name: name}) {
		if i == 0 || i == 1 && (n.name == "location" || n.name == "configSections") {
			continue
		}
		path = join(path, n.name)
		if s := p.doc.schema.section(path); s != nil {
			return !s.root.secrets
		}
	}
	return path == "" || p.doc.schema.isGroup(path)
}

// nameBytes are the ASCII bytes of element names.
const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"

func (p *parser) notWellFormed(err error) *Error {
	var syntax *xml.SyntaxError
	if !errors.As(err, &syntax) {
		if strings.HasPrefix(err.Error(), "xml: unsupported version") {
			return p.broken(p.last, "the XML declaration names a version other than 1.0", `write <?xml version="1.0"?>`)
		}
		e := undeclared(p.doc.pos(p.last), declaredEncoding(p.doc.src))
		return p.broken(p.last, e.Message, e.Hint)
	}
	off := min(int(p.dec.InputOffset()), len(p.doc.src))
	if off > p.last {
		off--
	}
	msg, hint := syntaxMessage(syntax.Msg)
	if strings.Contains(syntax.Msg, "unexpected EOF") {
		off = len(bytes.TrimRight(p.doc.src, blank))
		msg, hint = "the file ends too early", "the rest of the file is missing"
		if n := len(p.stack); n > 0 {
			msg = fmt.Sprintf("the file ends before <%s> of line %d is closed", p.stack[n-1].name, p.doc.line(p.stack[n-1].start)+1)
		}
	}
	if strings.HasPrefix(syntax.Msg, "element <") || strings.HasPrefix(syntax.Msg, "unexpected end element") {
		off = p.last
	}
	switch rest := p.doc.src[p.last:]; {
	case strings.HasPrefix(syntax.Msg, "element <"):
		n := p.stack[len(p.stack)-1]
		hint = fmt.Sprintf("close <%s> of line %d before it", n.name, p.doc.line(n.start)+1)
	case strings.HasPrefix(syntax.Msg, "invalid character entity"):
		off = p.last + max(bytes.LastIndexByte(p.doc.src[p.last:off], '&'), 0)
	case bytes.HasPrefix(rest, []byte("<<<<<<<")):
		off, msg, hint = p.last, "both sides of a merge conflict are in the file", "keep one of the two sides and delete the lines <<<<<<<, ======= and >>>>>>>"
	case bytes.HasPrefix(rest, []byte("<!--")) && strings.HasPrefix(syntax.Msg, `invalid sequence "--"`):
		off = max(off-2, p.last) // the dashes, not what follows them
	}
	return p.broken(off, msg, hint)
}

// syntaxMessage turns a message of encoding/xml into one for people. It passes none through that quotes values.
func syntaxMessage(msg string) (message, hint string) {
	switch {
	case strings.HasPrefix(msg, "element <"), strings.HasPrefix(msg, "unexpected end element"):
		return msg, "every start tag needs its end tag, in the reverse order"
	case strings.HasPrefix(msg, "invalid character entity"):
		return "an & that begins no known entity", "write &amp; for a plain &"
	case strings.HasPrefix(msg, "unescaped <"):
		return "a < inside an attribute value", "close the quotation mark before it, or write &lt;"
	case strings.HasPrefix(msg, "unquoted or missing attribute value"):
		return "an attribute value without quotation marks", `write name="value"`
	case strings.HasPrefix(msg, "attribute name without ="):
		return "an attribute without a value", `write name="value"`
	case strings.HasPrefix(msg, `invalid sequence "--"`):
		return `"--" inside a comment`, "XML allows -- only at the end of a comment"
	case strings.HasPrefix(msg, "illegal character code"):
		return "a character that XML does not allow", "delete the control character"
	case strings.HasPrefix(msg, "invalid UTF-8"):
		return "the file is not UTF-8", `save the file as UTF-8, or declare in its first line what it is: <?xml version="1.0" encoding="windows-1252"?>`
	case strings.HasPrefix(msg, "unescaped ]]>"):
		return "]]> outside a CDATA section", "write ]]&gt;"
	case strings.HasPrefix(msg, "expected element name"), strings.HasPrefix(msg, "expected attribute name"), strings.HasPrefix(msg, "invalid XML name"):
		return "a name was expected here", "nothing stands between the < and the name of a tag, or the !-- of a comment; a plain < is written &lt;"
	}
	return "the file is not well-formed XML", ""
}
