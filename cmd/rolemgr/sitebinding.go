package main

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// Protocols of a binding.
const (
	protocolHTTP  = "http"
	protocolHTTPS = "https"
)

// bindingFlags are the parts of a binding.
type bindingFlags struct {
	ip, host  string
	port      int
	protocol  string
	https     bool // short for protocol
	cert, key string
}

func (b *bindingFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&b.port, "port", -1, "the port; 0 lets the system choose one (default for https: 443)")
	f.StringVar(&b.ip, "ip", "127.0.0.1", "the address; * for every address of this machine")
	f.StringVar(&b.host, "host", "", "the host name that requests must have (default: any)")
	f.StringVar(&b.protocol, "protocol", protocolHTTP, "http or https")
	f.BoolVar(&b.https, "https", false, "short for --protocol https")
}

func (b *bindingFlags) addCertificateFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&b.cert, "cert", "", "for https: PEM file with the certificate and its issuers, or a folder with a file NAME.pem for --host NAME")
	f.StringVar(&b.key, "key", "", "for https: PEM file with the key (default: it is in the file of --cert)")
}

// newBinding is a binding that is to be added.
type newBinding struct {
	protocol, info string
	flags          uint32 // sslFlags
	cert, key      string // as they are written
}

// step is the element of the binding.
func (n *newBinding) step() edit.Step {
	s := bindingStep(n.protocol, n.info)
	add := func(name, value string) {
		if value != "" {
			s.Keys = append(s.Keys, edit.Key{Name: name, Value: value})
		}
	}
	if n.flags != 0 {
		add("sslFlags", fmt.Sprint(n.flags))
	}
	add("certificateFile", n.cert)
	add("privateKeyFile", n.key)
	return s
}

// binding reads the flags and looks at the certificate.
func (b *bindingFlags) binding(c *cli) (*newBinding, error) {
	switch b.protocol {
	case protocolHTTPS:
		b.https = true
	case protocolHTTP:
	default:
		return nil, &usageError{fmt.Sprintf("--protocol %q is not served", b.protocol), "it is http or https"}
	}
	info, err := b.info()
	if err != nil {
		return nil, err
	}
	if !b.https {
		if b.cert != "" || b.key != "" {
			return nil, &usageError{"a certificate is for https", "add --https, or leave --cert and --key out"}
		}
		return &newBinding{protocol: protocolHTTP, info: info}, nil
	}
	n := &newBinding{protocol: protocolHTTPS, info: info}
	if b.host != "" {
		n.flags = config.SSLNameRequired
	}
	return n, b.certificate(c, n)
}

// certificate checks that the certificate can be used, before anything is changed.
func (b *bindingFlags) certificate(c *cli, n *newBinding) error {
	if b.cert == "" {
		command := strings.TrimSpace("rolemgr cert dev " + b.host)
		return &usageError{"an https binding needs a certificate", fmt.Sprintf("name it with --cert FILE --key FILE; %q makes one for development", command)}
	}
	if _, err := c.homeDir(); err != nil {
		return err
	}
	cert, err := filepath.Abs(b.cert)
	if err != nil {
		return fmt.Errorf("the certificate %q: %w", b.cert, err)
	}
	key := cert
	if b.key != "" {
		if key, err = filepath.Abs(b.key); err != nil {
			return fmt.Errorf("the key %q: %w", b.key, err)
		}
	}
	n.cert = c.belowHome(cert)
	if info, err := os.Stat(cert); err == nil && info.IsDir() {
		if b.host == "" || b.key != "" {
			return &usageError{fmt.Sprintf("--cert %q is a folder: its files are named by the host and hold the key too", b.cert), "name the host with --host, and leave --key out"}
		}
		n.flags |= config.SSLCentralStore
		cert, key = wshost.CertificateFiles(config.Binding{SSLFlags: n.flags, CertificateFile: cert, Host: b.host})
	} else if key != cert {
		n.key = c.belowHome(key)
	}
	got, err := wshost.ReadCertificate(cert, key)
	if err != nil {
		return err
	}
	if b.host != "" && !got.Covers(b.host) {
		c.note("warning: the certificate is not for %q but for %s: browsers will refuse it", b.host, strings.Join(got.Names, ", "))
	}
	if e := got.Expiry(c.Now()); e != "" {
		c.note("warning: the certificate: %s", e)
	}
	return nil
}

// belowHome writes a path as the configuration does: from the home folder on, if it is below.
func (c *cli) belowHome(name string) string {
	if rel, err := filepath.Rel(c.home, name); err == nil && fs.ValidPath(rel) {
		return rel
	}
	return name
}

// info is the bindingInformation.
func (b *bindingFlags) info() (string, error) {
	if b.port == -1 && b.https {
		b.port = 443
	}
	if b.port < 0 || b.port > 65535 {
		if b.port == -1 {
			return "", &usageError{"no port is named", "name it with --port, as in --port 8081"}
		}
		return "", &usageError{fmt.Sprintf("--port %d is no port", b.port), "it is a number from 1 to 65535"}
	}
	ip := b.ip
	if ip != "" && ip != "*" {
		a, err := netip.ParseAddr(strings.Trim(ip, "[]"))
		if err != nil {
			return "", &usageError{fmt.Sprintf("--ip %q is no IP address", ip), "write it as in 127.0.0.1, ::1 or *; a name goes into --host"}
		}
		if ip = a.String(); a.Is6() {
			ip = "[" + ip + "]"
		}
	}
	if strings.ContainsAny(b.host, ":/\\ *") {
		return "", &usageError{fmt.Sprintf("--host %q is no host name", b.host), "write the name alone, as in www.example.com"}
	}
	return ip + ":" + strconv.Itoa(b.port) + ":" + b.host, nil
}

// parsedBinding reads a bindingInformation that info made.
func parsedBinding(info string) (address string, port int, host string) {
	rest, host, _ := cutLast(info, ":")
	address, number, _ := cutLast(rest, ":")
	port, _ = strconv.Atoi(number)
	return strings.Trim(address, "[]"), port, host
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// freeBinding refuses a binding that a site has already, its own included, and a port that has another protocol.
func (s *confTree) freeBinding(own config.Site, n *newBinding) error {
	address, port, host := parsedBinding(n.info)
	for _, site := range s.tree.Sites() {
		for _, b := range site.Bindings {
			if b.Protocol != protocolHTTP && b.Protocol != protocolHTTPS || b.Port != port || port == 0 {
				continue
			}
			switch same := sameAddress(b.Address, address) && strings.EqualFold(b.Host, host); {
			case same && site.ID == own.ID && b.Protocol == n.protocol:
				return refusal("conflict", fmt.Sprintf("site %q has the binding %q already", site.Name, b.Info), "")
			case same && site.ID != own.ID:
				return refusal("conflict", fmt.Sprintf("site %q has the binding %q", site.Name, b.Info), "choose another port with --port, or a name of its own with --host")
			case b.Protocol != n.protocol && (sameAddress(b.Address, address) || everyAddress(b.Address) || everyAddress(address)):
				return refusal("conflict", fmt.Sprintf("site %q has port %d for %s", site.Name, port, b.Protocol), "choose another port with --port")
			}
		}
	}
	return nil
}

func everyAddress(s string) bool { return s == "" || s == "*" || s == "0.0.0.0" || s == "::" }

func sameAddress(a, b string) bool { return everyAddress(a) && everyAddress(b) || a == b }
