package all_test

import "fmt"

// listed are the proofs of a list: key names its entries, entry is one that refuses the request.
func listed(list, key, value, other, rest, ask, refused string, in func(string) string) []proof {
	entry := fmt.Sprintf(`<add %s="%s" %s/>`, key, value, rest)
	return []proof{
		{of: list + "/add@" + key, in: in(`<add § ` + rest + `/>`), with: value, without: other, ask: ask, want: refused, otherwise: "200"},
		{of: list + "#remove", in: in(entry + "§"), with: fmt.Sprintf(`<remove %s="%s"/>`, key, value), without: unset, ask: ask, want: "200", otherwise: refused},
		{of: list + "#clear", in: in(entry + "§"), with: `<clear/>`, without: unset, ask: ask, want: "200", otherwise: refused},
	}
}

func filterProofs() []proofs {
	wrap := func(names ...string) func(string) string {
		return func(s string) string {
			for _, n := range names {
				s = "<" + n + ">" + s + "</" + n + ">"
			}
			return "<requestFiltering>" + s + "</requestFiltering>"
		}
	}
	rule := func(attributes, before, deny, after string) string {
		return `<requestFiltering><filteringRules><filteringRule name="r" ` + attributes + `>` + before + `<denyStrings>` + deny + `</denyStrings>` + after +
			`</filteringRule></filteringRules></requestFiltering>`
	}
	const bad, field = `<add string="bad"/>`, "/a.txt\nX-A: a bad one"
	// alwaysAllowed lists turn the outcome of listed round.
	allowed := func(list, key, value, other, ask, refused, denied string) []proof {
		in := func(s string) string { return wrap()(denied + "<" + list + ">" + s + "</" + list + ">") }
		cases := listed(list, key, value, other, "", ask, "", in)
		cases[0].want, cases[0].otherwise = "200", refused
		cases[1].want, cases[1].otherwise = refused, "200"
		cases[2].want, cases[2].otherwise = refused, "200"
		return cases
	}
	cases := []proof{
		{of: "@allowDoubleEscaping", with: "true", without: unset, ask: "/a%2531", want: "404.0", otherwise: "404.11"},
		{of: "@allowHighBitCharacters", with: "false", without: unset, ask: "/%C3%A9", want: "404.12", otherwise: "404.0"},
		{of: "@unescapeQueryString", in: `<requestFiltering §><denyQueryStringSequences><add sequence="bad"/></denyQueryStringSequences></requestFiltering>`, with: "false", without: "true", ask: "/a.txt?%62ad", want: "200", otherwise: "404.18"},
		{of: "@removeServerHeader", with: "true", without: unset, ask: "/app/server", see: "field Server", want: "200 false", otherwise: "200 true"},
		{of: "fileExtensions@allowUnlisted", with: "false", without: unset, want: "404.7", otherwise: "200"},
		{of: "fileExtensions/add@allowed", in: wrap("fileExtensions")(`<add fileExtension=".txt" §/>`), with: "false", without: "true", want: "404.7", otherwise: "200"},
		{of: "verbs@allowUnlisted", with: "false", without: unset, want: "404.6", otherwise: "200"},
		{of: "verbs/add@allowed", in: wrap("verbs")(`<add verb="GET" §/>`), with: "false", without: "true", want: "404.6", otherwise: "200"},
		{of: "requestLimits@maxAllowedContentLength", with: "3", without: "4", ask: "POST /app/x HTTP/1.1\nContent-Length: 4\n\nbody", want: "413.1", otherwise: "200"},
		{of: "requestLimits@maxUrl", with: "5", without: "6", want: "404.14", otherwise: "200"},
		{of: "requestLimits@maxQueryString", with: "3", without: "4", ask: "/a.txt?1234", want: "404.15", otherwise: "200"},
		{of: "requestLimits/headerLimits/add@sizeLimit", in: wrap("headerLimits", "requestLimits")(`<add header="X-A" §/>`), with: "8", without: "9", ask: field, want: "404.10", otherwise: "200"},

		{of: "filteringRules/filteringRule@name", in: `<requestFiltering><filteringRules><filteringRule § scanUrl="true"><denyStrings><add string="a.t"/></denyStrings></filteringRule><remove name="r"/></filteringRules></requestFiltering>`, with: "r", without: "q", want: "200", otherwise: "404.19"},
		{of: "filteringRules/filteringRule@scanUrl", in: rule("§", "", bad, ""), with: "true", without: unset, ask: "/bad.txt", want: "404.19", otherwise: "404.0"},
		{of: "filteringRules/filteringRule@scanQueryString", in: rule("§", "", bad, ""), with: "true", without: unset, ask: "/a.txt?bad", want: "404.19", otherwise: "200"},
		{of: "filteringRules/filteringRule@scanAllRaw", in: rule("§", "", bad, ""), with: "true", without: unset, ask: field, want: "404.19", otherwise: "200"},
		{of: "filteringRules/filteringRule@denyUnescapedPercent", in: rule(`scanQueryString="true" §`, "", bad, ""), with: "false", without: unset, ask: "/a.txt?%", want: "200", otherwise: "404.19"},
		{of: "filteringRules#remove", in: `<requestFiltering><filteringRules><filteringRule name="r" scanUrl="true"><denyStrings><add string="a.t"/></denyStrings></filteringRule>§</filteringRules></requestFiltering>`, with: `<remove name="r"/>`, without: unset, want: "200", otherwise: "404.19"},
		{of: "filteringRules#clear", in: `<requestFiltering><filteringRules><filteringRule name="r" scanUrl="true"><denyStrings><add string="a.t"/></denyStrings></filteringRule>§</filteringRules></requestFiltering>`, with: `<clear/>`, without: unset, want: "200", otherwise: "404.19"},
	}
	const r = "filteringRules/filteringRule/"
	for _, more := range [][]proof{
		listed("fileExtensions", "fileExtension", ".txt", ".zip", `allowed="false"`, "", "404.7", wrap("fileExtensions")),
		listed("verbs", "verb", "GET", "PUT", `allowed="false"`, "", "404.6", wrap("verbs")),
		listed("requestLimits/headerLimits", "header", "X-A", "X-B", `sizeLimit="1"`, field, "404.10", wrap("headerLimits", "requestLimits")),
		listed("hiddenSegments", "segment", "sub", "bus", "", "/sub/x.txt", "404.8", wrap("hiddenSegments")),
		listed("denyUrlSequences", "sequence", "a.t", "b.t", "", "", "404.5", wrap("denyUrlSequences")),
		listed("denyQueryStringSequences", "sequence", "bad", "good", "", "/a.txt?bad", "404.18", wrap("denyQueryStringSequences")),
		allowed("alwaysAllowedUrls", "url", "/a.txt", "/b.txt", "", "404.5", `<denyUrlSequences><add sequence="a.t"/></denyUrlSequences>`),
		allowed("alwaysAllowedQueryStrings", "queryString", "bad", "good", "/a.txt?bad", "404.18", `<denyQueryStringSequences><add sequence="bad"/></denyQueryStringSequences>`),
		listed(r+"scanHeaders", "requestHeader", "X-A", "X-B", "", field, "404.19", func(s string) string { return rule("", "<scanHeaders>"+s+"</scanHeaders>", bad, "") }),
		listed(r+"denyStrings", "string", "a.t", "b.t", "", "", "404.19", func(s string) string { return rule(`scanUrl="true"`, "", s, "") }),
	} {
		cases = append(cases, more...)
	}
	applies := func(s string) string {
		return rule(`scanUrl="true"`, "<appliesTo>"+s+"</appliesTo>", `<add string="a.t"/>`, "")
	}
	cases = append(cases,
		proof{of: r + "appliesTo/add@fileExtension", in: applies(`<add §/>`), with: ".zip", without: ".txt", want: "200", otherwise: "404.19"},
		proof{of: r + "appliesTo#remove", in: applies(`<add fileExtension=".zip"/>§`), with: `<remove fileExtension=".zip"/>`, without: unset, want: "404.19", otherwise: "200"},
		proof{of: r + "appliesTo#clear", in: applies(`<add fileExtension=".zip"/>§`), with: `<clear/>`, without: unset, want: "404.19", otherwise: "200"},
	)
	return []proofs{{section: "system.webServer/security/requestFiltering", cases: cases}}
}
