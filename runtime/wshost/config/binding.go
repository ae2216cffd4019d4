package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// readBinding reads a <binding>. The information of protocols other than http and https has a form of its own, which
// is kept as written.
func (t *Tree) readBinding(e *element) (*Binding, *Error) {
	l := layered{e}
	b := &Binding{
		Protocol: strings.ToLower(l.get("protocol").text), Info: l.get("bindingInformation").text,
		SSLFlags: uint32(l.get("sslFlags").num), Pos: e.at.pos(),
	}
	if b.Protocol != "http" && b.Protocol != "https" {
		return b, nil
	}
	var problem string
	b.Address, b.Port, b.Host, problem = parseBinding(b.Info)
	if problem != "" {
		return nil, e.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("bindingInformation=%q: %s", b.Info, problem),
			`write "address:port:host name", as "*:8080:" or "[::1]:8080:www.example.com"`)
	}
	return b, t.readCertificate(b, l)
}

// readCertificate reads where the certificate of a binding is.
func (t *Tree) readCertificate(b *Binding, l layered) *Error {
	for _, f := range [...]struct {
		name string
		into *string
	}{{"certificateFile", &b.CertificateFile}, {"privateKeyFile", &b.PrivateKeyFile}, {"clientAuthorityFile", &b.ClientAuthorityFile}} {
		v := l.get(f.name)
		switch {
		case v.text == "":
			continue
		case b.Protocol != "https":
			return v.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("a binding with the protocol %q has no %s", b.Protocol, f.name), `write protocol="https", or delete the attribute`)
		case isWindowsPath(v.text):
			return v.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("%s=%q is a path of Windows", f.name, v.text), "write a PEM file of this system, or one relative to the server's home")
		}
		*f.into = t.absolute(v.text)
	}
	switch {
	case b.SSLFlags&SSLCentralStore != 0:
		if b.CertificateFile == "" {
			b.CertificateFile = t.absolute(CentralStoreName)
		}
		if b.PrivateKeyFile != "" || b.Host == "" {
			return l[0].at.fault(HResultMalformed, sitesPath, fmt.Sprintf("the binding %q has sslFlags=\"%d\", the central store, and a privateKeyFile or no host name", b.Info, b.SSLFlags),
				"a file of the store is named by the host and holds certificate and key; take 2 from sslFlags to name files here")
		}
	case b.CertificateFile == "" && b.PrivateKeyFile != "":
		return l[0].at.fault(HResultMalformed, sitesPath, fmt.Sprintf("the binding %q has a privateKeyFile and no certificateFile", b.Info), `write certificateFile="..."`)
	case b.PrivateKeyFile == "":
		b.PrivateKeyFile = b.CertificateFile
	}
	return nil
}

// parseBinding reads "IP:port:host"; an IPv6 address stands in brackets. Port 0 lets the system choose one.
func parseBinding(info string) (address string, port int, host, problem string) {
	rest := info
	if strings.HasPrefix(info, "[") {
		end := strings.Index(info, "]:")
		if end < 0 {
			return "", 0, "", "the bracket of the IPv6 address is not closed"
		}
		ip, err := netip.ParseAddr(info[1:end])
		if err != nil || !ip.Is6() {
			return "", 0, "", "there is no IPv6 address between the brackets"
		}
		address, rest = info[1:end], info[end+2:]
	} else {
		var found bool
		address, rest, found = strings.Cut(info, ":")
		if !found {
			return "", 0, "", "the port is missing"
		}
		if ip, err := netip.ParseAddr(address); address != "" && address != "*" && (err != nil || !ip.Is4()) {
			return "", 0, "", fmt.Sprintf("%q is no IP address", address)
		}
	}
	number, host, found := strings.Cut(rest, ":")
	if !found {
		return "", 0, "", "the colon before the host name is missing"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return "", 0, "", fmt.Sprintf("%q is no port from 1 to 65535", number)
	}
	if strings.Contains(host, "*") {
		return "", 0, "", fmt.Sprintf("the host name %q has a wildcard, which this host does not support; leave it empty for every name", host)
	}
	if strings.ContainsAny(host, ":/\\ ") {
		return "", 0, "", fmt.Sprintf("%q is no host name", host)
	}
	return address, int(n), host, ""
}

// key is equal for bindings that exclude each other.
func (b *Binding) key() string {
	address := b.Address
	if address == "*" {
		address = ""
	}
	if b.Protocol != "http" && b.Protocol != "https" {
		return b.Protocol + " " + fold(b.Info)
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		address = ip.String()
	}
	return fmt.Sprintf("%s %d %s", address, b.Port, fold(b.Host))
}
