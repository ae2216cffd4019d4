package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxHeader is how much the header of a response may take, and maxLine one line of it.
const (
	maxHeader = 256 << 10
	maxLine   = 64 << 10
)

// ErrHeader is wrapped by the errors of a response whose header is none.
var ErrHeader = errors.New("the program did not return a complete set of HTTP headers")

// Response is what a program answers (RFC 3875, section 6).
type Response struct {
	Status int
	Header http.Header
	Length int64 // of the body, -1 when the program does not say
	Body   io.Reader
}

// ReadResponse reads the header of a response. What could be read in two ways is refused: folded lines, control
// characters, and lengths that differ. Fields that belong to the connection are the host's and left out.
func ReadResponse(r io.Reader) (*Response, error) {
	br := bufio.NewReaderSize(r, maxLine)
	resp := &Response{Header: http.Header{}, Length: -1, Body: br}
	status, total := "", 0
	for {
		line, err := br.ReadSlice('\n')
		total += len(line)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || total > maxHeader:
			return nil, fmt.Errorf("%w: they are longer than %d bytes, or a line is longer than %d", ErrHeader, maxHeader, maxLine)
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: they end within %q", ErrHeader, excerpt(line))
		case err != nil:
			return nil, err
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if text == "" {
			return resp, resp.finish(status)
		}
		name, value, ok := strings.Cut(text, ":")
		value = strings.Trim(value, " \t")
		if !ok || !validName(name) || !validValue(value) {
			return nil, fmt.Errorf("%w: %q is none", ErrHeader, excerpt(line))
		}
		if err := resp.field(http.CanonicalHeaderKey(name), value, &status); err != nil {
			return nil, err
		}
	}
}

func excerpt(line []byte) string { return string(line[:min(len(line), 80)]) }

func (resp *Response) field(name, value string, status *string) error {
	switch name {
	case "Status":
		if *status != "" && *status != value {
			return fmt.Errorf("%w: two of them are Status", ErrHeader)
		}
		*status = value
	case "Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Connection", "Proxy-Authenticate":
		return nil
	case "Content-Length":
		n, err := strconv.ParseUint(value, 10, 62)
		if err != nil || resp.Length >= 0 && resp.Length != int64(n) {
			return fmt.Errorf("%w: the Content-Length %q is none, or one of two", ErrHeader, value)
		}
		resp.Length = int64(n)
	default:
		resp.Header[name] = append(resp.Header[name], value)
	}
	return nil
}

// finish finds the status: that of the field Status, else 302 for a Location, else 200. A redirection within the server
// (RFC 3875, section 6.2.2) is left to the client, which shows the URL that the page has.
func (resp *Response) finish(status string) error {
	resp.Status = http.StatusOK
	if resp.Header.Get("Location") != "" {
		resp.Status = http.StatusFound
	}
	if status != "" {
		code, _, _ := strings.Cut(status, " ")
		n, err := strconv.Atoi(code)
		if err != nil || len(code) != 3 || n < 200 || n > 599 {
			return fmt.Errorf("%w: %q is no Status", ErrHeader, status)
		}
		resp.Status = n
	} else if len(resp.Header) == 0 && resp.Length < 0 {
		return fmt.Errorf("%w: there is no Content-Type, Location or Status", ErrHeader)
	}
	return nil
}

// Send sends the response while it comes: what is there goes out when nothing more is there yet. It returns the error
// of the program's side and the one of the client's side; after the latter the rest was not read.
func (resp *Response) Send(w http.ResponseWriter, r *http.Request) (program, client error) {
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = values
	}
	if resp.Length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(resp.Length, 10))
	}
	if h.Get("Content-Type") == "" {
		h["Content-Type"] = nil // net/http would guess one
	}
	w.WriteHeader(resp.Status)
	if r.Method == http.MethodHead || resp.Status == http.StatusNoContent || resp.Status == http.StatusNotModified {
		_, program = io.Copy(io.Discard, resp.Body) // the program is let to its end
		return program, nil
	}
	flusher := http.NewResponseController(w)
	buf := make([]byte, 32<<10)
	var sent int64
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return nil, werr
			}
			sent += int64(n)
			if n < len(buf) && sent != resp.Length {
				if werr := flusher.Flush(); werr != nil && !errors.Is(werr, http.ErrNotSupported) {
					return nil, werr
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}

// validName reports whether name is a token (RFC 9110, section 5.6.2).
func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// validValue reports whether value has no control characters but tabs (RFC 9110, section 5.5).
func validValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
