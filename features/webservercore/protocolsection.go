package webservercore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

const protocolSection = "system.webServer/httpProtocol"

// protocolConfig is system.webServer/httpProtocol, with the attributes of IIS 8.
type protocolConfig struct {
	AllowKeepAlive bool         `config:"allowKeepAlive"`
	Custom         customHeader `config:"customHeaders"`
	Redirect       customHeader `config:"redirectHeaders"`
}

type customHeader struct {
	Fields []headerField `config:",collection"`
}

type headerField struct {
	Name  string `config:"name"`
	Value string `config:"value"`
}

func protocolSections() []config.Section {
	return []config.Section{{
		Path:                protocolSection,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name:       "httpProtocol",
			Attributes: []config.Attribute{{Name: "allowKeepAlive", Type: config.Bool, Default: "true"}},
			Elements:   []config.Element{headerFields("customHeaders"), headerFields("redirectHeaders")},
		},
	}}
}

// headerFields declares a collection of header fields. The schema of IIS lets the name be anything; here it has to be
// one, because it is sent.
func headerFields(name string) config.Element {
	return config.Element{Name: name, Collection: &config.Collection{
		Remove: "remove", Clear: "clear",
		Add: config.Element{Name: "add", Judge: judgeField, Attributes: []config.Attribute{
			{Name: "name", Type: config.String, Key: true, Required: true, Check: checkFieldName},
			{Name: "value", Type: config.String, CaseSensitive: true, Check: checkFieldValue},
		}},
	}}
}

// checkFieldName refuses what is no field name (RFC 9110, section 5.1), and the fields that say where a response ends
// or what becomes of the connection: a value that contradicts the response would let its rest be read as another one.
func checkFieldName(written string) error {
	if written == "" {
		return errors.New("must not be empty")
	}
	for i := range len(written) {
		c := written[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return fmt.Errorf("must be the name of a header field: letters, digits and signs such as %q, without spaces", "-")
		}
	}
	name := strings.ToLower(written)
	if slices.Contains([]string{"content-length", "transfer-encoding", "trailer", "te", "upgrade", "proxy-connection"}, name) || strings.HasPrefix(name, "sec-websocket-") {
		return errors.New("is a field that only the host itself sends, because it says where the response ends or which protocol follows")
	}
	return nil
}

// ownField reports whether the host decides a field by itself. <add name="Connection" value="keep-alive" /> stands in
// real files; it asks for what is so anyway, and is no reason to refuse a site.
func ownField(name string) bool {
	return strings.EqualFold(name, "Connection") || strings.EqualFold(name, "Keep-Alive")
}

// judgeField says of a field that the host decides that it is not sent.
func judgeField(attribute func(string) string) config.Judgement {
	if ownField(attribute("name")) {
		return config.Judgement{NoEffect: "whether a connection stays open is the host's to say; allowKeepAlive of <httpProtocol> switches that off"}
	}
	return config.Judgement{}
}

// singleField reports whether a field may be sent once only (RFC 9110, section 5.3). What the handler says of its own
// content is then right, and the configured value stands for responses that say nothing.
func singleField(name string) bool {
	switch strings.ToLower(name) {
	case "age", "content-disposition", "content-encoding", "content-location", "content-range", "content-type", "date", "etag", "expires",
		"last-modified", "location", "retry-after", "server":
		return true
	}
	return false
}

// checkFieldValue refuses what cannot be sent as the value of a header field (RFC 9110, section 5.5).
func checkFieldValue(written string) error {
	if strings.ContainsFunc(written, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("must not hold line breaks or other control characters: it is sent in a header field")
	}
	return nil
}
