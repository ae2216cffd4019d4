package webservercore

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// accessModuleName is a name of our own: IIS checks sslFlags in its core.
const accessModuleName = "SslAccessModule"

const accessSection = "system.webServer/security/access"

// accessConfig is system.webServer/security/access, with the attribute of IIS 8.
type accessConfig struct {
	Flags []string `config:"sslFlags"`
}

// accessSections declares the section. IIS ships it locked; here it is open, for it can only make a site stricter than
// the server, or free a folder of what the site's own file asks for.
func accessSections() []config.Section {
	return []config.Section{{
		Path:                accessSection,
		OverrideModeDefault: config.Allow,
		Element: config.Element{Name: "access", Judge: judgeAccess, Attributes: []config.Attribute{
			{Name: "sslFlags", Type: config.Flags, Default: "None", Partly: "SslNegotiateCert and SslMapCert ask nothing of the client", Values: []config.Value{
				{Name: "None", Value: 0}, {Name: "Ssl", Value: 8}, {Name: "SslNegotiateCert", Value: 32}, {Name: "SslRequireCert", Value: 64},
				{Name: "SslMapCert", Value: 128}, {Name: "Ssl128", Value: 256},
			}},
		}},
	}}
}

// judgeAccess says of flags that only ask for a certificate, or map one to an account, that nothing comes of them.
func judgeAccess(attribute func(string) string) config.Judgement {
	const ask = "certificates of clients are not asked for, and there are no accounts of Windows to map them to; SslRequireCert refuses requests without one"
	j := config.Judgement{}
	for _, flag := range split(attribute("sslFlags")) {
		if !strings.EqualFold(flag, "SslNegotiateCert") && !strings.EqualFold(flag, "SslMapCert") {
			return config.Judgement{}
		}
		j.NoEffect = ask
	}
	return j
}

// accessModule holds requests to the encryption that their URL demands.
type accessModule struct{}

func newAccessModule() module.Module { return accessModule{} }

var _ module.Module = accessModule{}

// Middleware refuses what does not come over TLS where that is demanded.
func (accessModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		c, err := config.Decode[accessConfig](q.Config, accessSection)
		if err != nil {
			q.Fail(w, r, module.Misfit(accessModuleName, accessSection, err))
			return
		}
		if e := c.refuse(r); e != nil {
			q.Fail(w, r, e)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse returns 403.4, 403.5 or 403.7. SslNegotiateCert and SslMapCert demand nothing.
func (c *accessConfig) refuse(r *http.Request) *module.HTTPError {
	e := &module.HTTPError{Status: http.StatusForbidden, Module: accessModuleName}
	switch {
	case len(c.Flags) == 0:
		return nil
	case r.TLS == nil && slices.Contains(c.Flags, "Ssl"):
		e.SubStatus, e.Summary = 4, "the URL may be asked for over https only"
	case r.TLS == nil && slices.Contains(c.Flags, "Ssl128"): // every cipher of TLS 1.2 and 1.3 has 128 bits and more
		e.SubStatus, e.Summary = 5, "the URL may be asked for with 128 bits of encryption only"
	case slices.Contains(c.Flags, "SslRequireCert") && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0):
		e.SubStatus, e.Summary = 7, "the URL may be asked for with a client certificate only"
	default:
		return nil
	}
	e.Hint = "sslFlags of <security><access> demands it"
	return e
}
