package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// readBinding reads a <binding>. The information of protocols other than http and https has a form of its own, which
// is kept as written.
func readBinding(e *element) (*Binding, *Error) {
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
	return b, nil
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
