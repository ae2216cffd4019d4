package reverseproxy

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

const farmPath = "webFarms"

// farmsConfig is webFarms.
type farmsConfig struct {
	Entries []farmConfig `config:",collection"`
}

// farmConfig is a <webFarm>.
type farmConfig struct {
	Name    string         `config:"name"`
	Enabled bool           `config:"enabled"`
	Servers []serverConfig `config:",collection"`
	Routing routingConfig  `config:"applicationRequestRouting"`
}

// serverConfig is a <server> of a farm.
type serverConfig struct {
	Address string `config:"address"`
	Enabled bool   `config:"enabled"`
	Routing struct {
		Weight    uint32 `config:"weight"`
		HTTPPort  uint32 `config:"httpPort"`
		HTTPSPort uint32 `config:"httpsPort"`
	} `config:"applicationRequestRouting"`
}

// routingConfig is <applicationRequestRouting> of a farm.
type routingConfig struct {
	Affinity struct {
		UseCookie bool   `config:"useCookie"`
		Cookie    string `config:"cookieName"`
	} `config:"affinity"`
	Health   healthConfig `config:"healthCheck"`
	Balance  loadConfig   `config:"loadBalancing"`
	Protocol proxyConfig  `config:"protocol"`
}

type healthConfig struct {
	URL        string        `config:"url"`
	Interval   time.Duration `config:"interval"`
	Timeout    time.Duration `config:"timeout"`
	Match      string        `config:"responseMatch"`
	Statuses   string        `config:"statusCodeMatch"`
	MinServers uint32        `config:"minServers"`
}

type loadConfig struct {
	Algorithm string `config:"algorithm"`
	Variable  string `config:"hashServerVariable"`
	Queries   string `config:"queryStringNames"`
}

// The algorithms. Two of ARR's count what this module does not; see farmSection.
const (
	roundRobin = "WeightedRoundRobin"
	hashed     = "RequestHash"
)

// farmSection declares the farms as ARR 3 writes them.
func farmSection() config.Section {
	return config.Section{Path: farmPath, OverrideModeDefault: config.Deny, AllowDefinition: config.AppHostOnly, Element: config.Element{
		Name: farmPath,
		Elements: []config.Element{{
			Name: "applicationRequestRouting", NoEffect: "clients stay with a server by a cookie",
			Elements: []config.Element{{Name: "hostAffinityProviderList", NoEffect: "clients stay with a server by a cookie", Collection: &config.Collection{
				Clear: "clear", Remove: "remove",
				Add: config.Element{Name: "add", Attributes: []config.Attribute{{Name: "name", Type: config.String, Required: true, Key: true}}},
			}}},
		}},
		Collection: &config.Collection{Clear: "clear", Remove: "remove", Add: config.Element{
			Name: "webFarm",
			Attributes: []config.Attribute{
				{Name: "name", Type: config.String, Required: true, Key: true, Check: config.NonEmpty()},
				{Name: "enabled", Type: config.Bool, Default: "true"},
				{Name: "adminUserName", Type: config.String, NoEffect: noFramework},
				{Name: "adminPassword", Type: config.String, NoEffect: noFramework, Secret: true},
			},
			Elements:   []config.Element{routingElement()},
			Collection: &config.Collection{Clear: "clear", Remove: "remove", Add: serverElement()},
		}},
	}}
}

const noFramework = "servers are not set up from here, as Web Farm Framework does"

func serverElement() config.Element {
	port := config.IntegerRange(1, 65535)
	return config.Element{
		Name: "server",
		Attributes: []config.Attribute{
			{Name: "address", Type: config.String, Required: true, Key: true, Check: address},
			{Name: "enabled", Type: config.Bool, Default: "true"},
		},
		Elements: []config.Element{{Name: "applicationRequestRouting", Attributes: []config.Attribute{
			{Name: "weight", Type: config.Uint, Default: "100", Check: config.IntegerRange(1, 1<<20)},
			{Name: "httpPort", Type: config.Uint, Default: "80", Check: port},
			{Name: "httpsPort", Type: config.Uint, Default: "443", Check: port},
		}}},
	}
}

func routingElement() config.Element {
	span := config.TimeSpanRange(1, 86400, 1)
	return config.Element{Name: "applicationRequestRouting", Elements: []config.Element{
		{Name: "affinity", Attributes: []config.Attribute{
			{Name: "useCookie", Type: config.Bool, Default: "false"},
			{Name: "cookieName", Type: config.String, Default: "ARRAffinity", CaseSensitive: true, Check: cookieName},
			{Name: "useHostName", Type: config.Bool, Default: "false", NoEffect: "clients stay with a server by a cookie"},
		}},
		{Name: "healthCheck", Attributes: []config.Attribute{
			{Name: "url", Type: config.String, CaseSensitive: true, Check: healthURL},
			{Name: "interval", Type: config.TimeSpan, Default: "00:00:30", Check: span},
			{Name: "timeout", Type: config.TimeSpan, Default: "00:00:30", Check: span},
			{Name: "responseMatch", Type: config.String, CaseSensitive: true, Check: expression},
			{Name: "statusCodeMatch", Type: config.String, Default: "200-399", Check: statusRanges},
			{Name: "minServers", Type: config.Uint, Default: "0"},
		}},
		{Name: "loadBalancing", Attributes: []config.Attribute{
			{
				Name: "algorithm", Type: config.Enum, Default: "LeastRequests",
				Values: []config.Value{
					{Name: roundRobin, Value: 0}, {Name: "LeastRequests", Value: 1}, {Name: "LeastResponseTime", Value: 2},
					{Name: "WeightedTotalTraffic", Value: 3}, {Name: hashed, Value: 4},
				},
				Partly: "LeastResponseTime and WeightedTotalTraffic are taken as LeastRequests",
			},
			{Name: "hashServerVariable", Type: config.String, Check: hashVariable},
			{Name: "queryStringNames", Type: config.String, CaseSensitive: true},
		}},
		{Name: "protocol", Attributes: protocol("00:00:30", "true", "false"), Elements: cache()},
	}}
}

// fieldName accepts the name of a field, or none (RFC 9110, section 5.1).
func fieldName(written string) error {
	if !token(written) {
		return fmt.Errorf("%q cannot be the name of a header field", written)
	}
	switch strings.ToLower(written) {
	case "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect":
		return fmt.Errorf("the field %q has a meaning of its own in HTTP: choose another name", written)
	}
	return nil
}

func cookieName(written string) error {
	if written == "" || !token(written) {
		return fmt.Errorf("%q cannot be the name of a cookie", written)
	}
	return nil
}

// token reports whether s is one (RFC 9110, section 5.6.2), or empty.
func token(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) })
}

func address(written string) error {
	if written == "" || strings.ContainsAny(written, "/\\@?# \t") {
		return fmt.Errorf("%q is no name or address of a server: write it without scheme and port, which <applicationRequestRouting httpPort> says", written)
	}
	return nil
}

func healthURL(written string) error {
	if written == "" {
		return nil
	}
	_, err := parseHealthURL(written)
	return err
}

func expression(written string) error {
	_, err := regexp.Compile(written)
	return err
}

func statusRanges(written string) error {
	_, err := parseStatuses(written)
	return err
}

// statusRange is from and to, both included.
type statusRange struct{ from, to int }

// parseStatuses reads "200-399,404".
func parseStatuses(written string) ([]statusRange, error) {
	var out []statusRange
	for part := range strings.SplitSeq(written, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(strings.TrimSpace(first))
		to, err2 := strconv.Atoi(strings.TrimSpace(last))
		if errors.Join(err, err2) != nil || from < 100 || to > 999 || from > to {
			return nil, fmt.Errorf("%q is no list of status codes: write one such as 200-399 or 200,204", written)
		}
		out = append(out, statusRange{from, to})
	}
	return out, nil
}

// hashVariable accepts the server variables that a request can be told apart by here.
func hashVariable(written string) error {
	name := strings.ToUpper(written)
	switch name {
	case "", "QUERY_STRING", "URL", "REMOTE_ADDR", "SERVER_NAME", "UNENCODED_URL":
		return nil
	}
	if strings.HasPrefix(name, "HTTP_") && len(name) > len("HTTP_") {
		return nil
	}
	return fmt.Errorf("requests cannot be told apart by %q here: use QUERY_STRING, URL, UNENCODED_URL, REMOTE_ADDR, SERVER_NAME or HTTP_ and the name of a field", written)
}
