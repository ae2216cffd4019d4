package webservercore

import (
	"crypto/x509"
	"errors"
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
		if e := c.refuse(q, r); e != nil {
			q.Fail(w, r, e)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// untrusted returns 403.17 for a client certificate whose time is over, 403.16 for others that the binding does not trust.
func untrusted(e *module.HTTPError, err error) *module.HTTPError {
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.SubStatus, e.Summary = 17, "the client certificate has expired or is not valid yet"
	default:
		e.SubStatus, e.Summary = 16, "the client certificate is not trusted"
	}
	e.Hint = "it must come from an authority in clientAuthorityFile of the binding, without one from one of the system: " + err.Error()
	return e
}

// refuse returns 403.4, 403.5, 403.7, 403.16 or 403.17. SslNegotiateCert and SslMapCert demand nothing.
func (c *accessConfig) refuse(q *module.Request, r *http.Request) *module.HTTPError {
	if len(c.Flags) == 0 {
		return nil
	}
	e := &module.HTTPError{Status: http.StatusForbidden, Module: accessModuleName}
	switch {
	case r.TLS == nil && slices.Contains(c.Flags, "Ssl"):
		e.SubStatus, e.Summary = 4, "the URL may be asked for over https only"
	case r.TLS == nil && slices.Contains(c.Flags, "Ssl128"): // every cipher of TLS 1.2 and 1.3 has 128 bits and more
		e.SubStatus, e.Summary = 5, "the URL may be asked for with 128 bits of encryption only"
	case slices.Contains(c.Flags, "SslRequireCert") && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0):
		e.SubStatus, e.Summary = 7, "the URL may be asked for with a client certificate only"
	case slices.Contains(c.Flags, "SslRequireCert"):
		return untrusted(e, q.VerifyClient())
	default:
		return nil
	}
	e.Hint = "sslFlags of <security><access> demands it"
	return e
}
