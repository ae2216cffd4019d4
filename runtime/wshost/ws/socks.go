package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// The numbers of SOCKS (RFC 1928).
const (
	socksVersion  = 5
	socksConnect  = 1
	socksNoAuth   = 0
	socksPassword = 2
	socksNone     = 0xff
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
)

// socks asks a SOCKS proxy for a connection to address. It reads not a byte more than the proxy's answers.
func socks(line io.ReadWriter, user *url.Userinfo, address string) error {
	target, err := socksAddress(address)
	if err != nil {
		return err
	}
	hello := []byte{socksVersion, 1, socksNoAuth}
	var login []byte
	if user != nil {
		password, _ := user.Password()
		name := user.Username()
		// RFC 1929 asks for a password of at least one byte; proxies with users who have none exist.
		if name == "" || len(name) > 255 || len(password) > 255 {
			return errors.New("SOCKS takes a user of 1 to 255 bytes and a password of at most 255")
		}
		hello = []byte{socksVersion, 2, socksNoAuth, socksPassword}
		login = append([]byte{1, byte(len(name))}, name...) // RFC 1929, section 2
		login = append(append(login, byte(len(password))), password...)
	}
	var answer [2]byte
	if err := exchange(line, hello, answer[:]); err != nil {
		return err
	}
	switch {
	case answer[0] != socksVersion:
		return errors.New("the proxy does not speak SOCKS 5")
	case answer[1] == socksPassword && login != nil:
		if err := exchange(line, login, answer[:]); err != nil {
			return err
		}
		if answer[1] != 0 {
			return errors.New("the proxy refused user and password")
		}
	case answer[1] == socksNone && login == nil:
		return errors.New("the proxy asks for a user and a password, or for something else that is not supported")
	case answer[1] != socksNoAuth:
		return errors.New("the proxy asks for an authentication that is not supported")
	}
	return socksRequest(line, target)
}

// socksRequest sends the request and reads the reply (RFC 1928, sections 4 and 6).
func socksRequest(line io.ReadWriter, target []byte) error {
	var head [4]byte
	if err := exchange(line, append([]byte{socksVersion, socksConnect, 0}, target...), head[:]); err != nil {
		return err
	}
	if head[0] != socksVersion {
		return errors.New("the proxy does not speak SOCKS 5")
	}
	if head[1] != 0 {
		return fmt.Errorf("the proxy answered %q", socksReply(head[1]))
	}
	var rest int // of the address that the proxy uses, which nobody asked for
	switch head[3] {
	case socksIPv4:
		rest = 4
	case socksIPv6:
		rest = 16
	case socksName:
		var size [1]byte
		if err := exchange(line, nil, size[:]); err != nil {
			return err
		}
		rest = int(size[0])
	default:
		return fmt.Errorf("the proxy answered with an address of unknown type %d", head[3])
	}
	return exchange(line, nil, make([]byte, rest+2))
}

// exchange writes ask, if any, and fills answer.
func exchange(line io.ReadWriter, ask, answer []byte) error {
	if len(ask) > 0 {
		if _, err := line.Write(ask); err != nil {
			return err
		}
	}
	_, err := io.ReadFull(line, answer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the proxy hung up instead of answering")
	}
	return err
}

// socksAddress writes "host:port" as a request has it. Names go to the proxy as they are.
func socksAddress(address string) ([]byte, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number up to 65535", port)
	}
	var b []byte
	switch ip, err := netip.ParseAddr(host); {
	case err == nil && ip.Unmap().Is4():
		b = append([]byte{socksIPv4}, ip.Unmap().AsSlice()...)
	case err == nil:
		b = append([]byte{socksIPv6}, ip.AsSlice()...)
	case host == "" || len(host) > 255:
		return nil, fmt.Errorf("SOCKS takes host names of 1 to 255 bytes, not %d", len(host))
	default:
		b = append([]byte{socksName, byte(len(host))}, host...)
	}
	return binary.BigEndian.AppendUint16(b, uint16(number)), nil
}

// socksReply names a reply (RFC 1928, section 6).
func socksReply(code byte) string {
	names := [...]string{
		"succeeded", "general SOCKS server failure", "connection not allowed by ruleset", "network unreachable",
		"host unreachable", "connection refused", "TTL expired", "command not supported", "address type not supported",
	}
	if int(code) < len(names) {
		return names[code]
	}
	return fmt.Sprintf("reply %d", code)
}
