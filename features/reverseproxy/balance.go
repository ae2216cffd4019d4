package reverseproxy

import (
	"hash/fnv"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// balance chooses one of several servers.
func (f *farm) balance(a *attempt, among []*server) *server {
	switch f.Routing.Balance.Algorithm {
	case roundRobin:
		return f.nextInTurn(among)
	case hashed:
		if key := hashKey(a.client, &f.Routing.Balance); key != "" {
			return byHash(key, among)
		}
	}
	return f.leastBusy(among)
}

// nextInTurn gives every server its turns in proportion to its weight, and spreads them.
func (f *farm) nextInTurn(among []*server) *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	total := 0
	var best *server
	for _, s := range among {
		s.credit += int(s.Routing.Weight)
		total += int(s.Routing.Weight)
		if best == nil || s.credit > best.credit {
			best = s
		}
	}
	best.credit -= total
	return best
}

// leastBusy returns the server with the fewest requests and WebSockets; those that have equally many take turns.
func (f *farm) leastBusy(among []*server) *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn++
	var best *server
	for i := range among {
		s := among[(i+f.turn)%len(among)]
		if best == nil || s.state.busy.Load() < best.state.busy.Load() {
			best = s
		}
	}
	return best
}

// byHash returns the server that gives the highest hash together with the key: when one goes, only the requests move that
// were its own.
func byHash(key string, among []*server) *server {
	var best *server
	var most uint64
	for _, s := range among {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s.id + "\x00" + key))
		if sum := mix(h.Sum64()); best == nil || sum > most {
			best, most = s, sum
		}
	}
	return best
}

// mix spreads a hash of FNV, whose last bytes move its high bits little.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// hashKey is what requests are told apart by: parameters of the query string, or a server variable.
func hashKey(r *http.Request, c *loadConfig) string {
	variable := strings.ToUpper(c.Variable)
	if variable == "" && c.Queries != "" {
		variable = "QUERY_STRING"
	}
	switch variable {
	case "QUERY_STRING":
		return queryKey(r.URL.RawQuery, c.Queries)
	case "URL":
		return r.URL.Path
	case "UNENCODED_URL":
		return r.RequestURI
	case "SERVER_NAME":
		return (&url.URL{Host: r.Host}).Hostname()
	case "REMOTE_ADDR":
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return host
	}
	field, _ := strings.CutPrefix(variable, "HTTP_")
	return strings.Join(r.Header.Values(strings.ReplaceAll(field, "_", "-")), ", ")
}

// queryKey is the query string, or the parameters of it that are named.
func queryKey(query, names string) string {
	if names == "" {
		return query
	}
	values, _ := url.ParseQuery(query) // what can be read of it
	var b strings.Builder
	for n := range strings.SplitSeq(names, ",") {
		for _, v := range values[strings.TrimSpace(n)] {
			b.WriteString(n + "=" + v + "&")
		}
	}
	return b.String()
}
