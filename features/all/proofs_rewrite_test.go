package all_test

import (
	"io"
	"net"
	"strings"
	"time"
)

// ruleProofs are those of rules and globalRules, which have one shape.
func ruleProofs(list string) []proof {
	global := list == "globalRules"
	rules := func(s string) string { return "<" + list + ">" + s + "</" + list + ">" }
	const match, rewrite = `<match url="^a.txt"/>`, `<action type="Rewrite" url="/b.txt"/>`
	rule := func(attributes, content string) string {
		return rules(`<rule name="r" ` + attributes + `>` + content + `</rule>`)
	}
	act := func(action string) string { return rule("", match+`<action `+action+`/>`) }
	cond := func(attributes, conditions, action string) string {
		return rule("", `<match url="^a"/><conditions `+attributes+`>`+conditions+`</conditions><action `+action+`/>`)
	}
	const yes, no = "200 b", "200 0123456789"
	const toB = `type="Rewrite" url="/b.txt"`
	see := func(p proof) proof {
		p.see, p.want, p.otherwise = "body", orElse(p.want, yes), orElse(p.otherwise, no)
		return p
	}
	const captures = `<add input="xy" pattern="(x)"/><add input="pq" pattern="(q)"/>`
	// A second rule tells what the first has made of a variable.
	vars := func(set string) string {
		return rules(`<rule name="r"><match url="^a"/><serverVariables>` + set + `</serverVariables><action type="None"/></rule>` +
			`<rule name="s"><match url="^a"/><conditions><add input="{HTTP_X_A}" pattern="(.+)"/></conditions><action type="Redirect" url="/{C:1}"/></rule>`)
	}
	const allowed = `<rewrite><allowedServerVariables><add name="HTTP_X_A"/><add name="HTTP_X_B"/></allowedServerVariables></rewrite>`
	const shot = "rule/serverVariables/set"
	isFile, isNone := "302 /file", "200 "
	if global {
		isFile = "500.19 " // which URL Rewrite does not allow here
	}
	return []proof{
		see(proof{of: "rule@name", in: rules(`<rule §>` + match + rewrite + `</rule><remove name="r"/>`), with: "q", without: "r"}),
		see(proof{of: "rule@enabled", in: rule("§", match+rewrite), with: "true", without: "false"}),
		see(proof{of: "rule@patternSyntax", in: rule("§", `<match url="*.txt"/>`+rewrite), with: "Wildcard", without: "ExactMatch"}),
		see(proof{of: "rule@stopProcessing", in: rules(`<rule name="r" §>` + match + rewrite + `</rule><rule name="s"><match url="^b"/><action type="Rewrite" url="/sub/x.txt"/></rule>`), with: "true", without: unset, otherwise: "200 x"}),
		see(proof{of: "rule/match@url", in: rule("", `<match §/>`+rewrite), with: "a.txt", without: "c.txt"}),
		see(proof{of: "rule/match@ignoreCase", in: rule("", `<match url="A.TXT" §/>`+rewrite), with: "true", without: "false"}),
		see(proof{of: "rule/match@negate", in: rule("", `<match url="c.txt" §/>`+rewrite), with: "true", without: unset}),
		see(proof{of: "rule/conditions@logicalGrouping", in: cond("§", `<add input="x" pattern="x"/><add input="x" pattern="y"/>`, toB), with: "MatchAny", without: unset}),
		{of: "rule/conditions@trackAllCaptures", in: cond("§", captures, `type="Redirect" url="/{C:1}-{C:2}"`), with: "true", without: unset, see: "Location", want: "301 /x-q", otherwise: "301 /q-"},
		see(proof{of: "rule/conditions/add@input", in: cond("", `<add § pattern="x"/>`, toB), with: "x", without: "y"}),
		{of: "rule/conditions/add@matchType", in: cond("", `<add input="{REQUEST_FILENAME}" pattern="nothing" §/>`, `type="Redirect" redirectType="Found" url="/file"`), with: "IsFile", without: unset, see: "Location", want: isFile, otherwise: isNone},
		see(proof{of: "rule/conditions/add@pattern", in: cond("", `<add input="x" §/>`, toB), with: "x", without: "y"}),
		see(proof{of: "rule/conditions/add@ignoreCase", in: cond("", `<add input="X" pattern="x" §/>`, toB), with: "true", without: "false"}),
		see(proof{of: "rule/conditions/add@negate", in: cond("", `<add input="x" pattern="y" §/>`, toB), with: "true", without: unset}),
		{of: shot + "@name", in: vars(`<set § value="1"/>`), with: "HTTP_X_A", without: "HTTP_X_B", see: "Location", want: "301 /1", otherwise: "200 ", server: allowed},
		{of: shot + "@value", in: vars(`<set name="HTTP_X_A" §/>`), with: "1", without: "2", see: "Location", want: "301 /1", otherwise: "301 /2", server: allowed},
		{of: shot + "@replace", in: vars(`<set name="HTTP_X_A" value="1" §/>`), with: "false", without: unset, ask: "/a.txt\nX-A: old", see: "Location", want: "301 /old", otherwise: "301 /1", server: allowed},
		see(proof{of: "rule/action@type", in: act(`url="/b.txt" §`), with: "Rewrite", without: "None"}),
		see(proof{of: "rule/action@type", in: act(`url="/b.txt" statusCode="410" §`), with: "CustomResponse", without: "Redirect", want: "410.0", otherwise: "301"}).status(),
		{of: "rule/action@type", in: act(`url="/b.txt" §`), with: "AbortRequest", without: "None", do: aborted, want: "cut", otherwise: "answered"},
		see(proof{of: "rule/action@url", in: act(`type="Rewrite" §`), with: "/b.txt", without: "/sub/x.txt", otherwise: "200 x"}),
		{of: "rule/action@appendQueryString", in: act(`type="Redirect" url="/b" §`), with: "false", without: unset, ask: "/a.txt?q=1", see: "Location", want: "301 /b", otherwise: "301 /b?q=1"},
		{of: "rule/action@redirectType", in: act(`type="Redirect" url="/b" §`), with: "SeeOther", without: unset, want: "303", otherwise: "301"},
		{of: "rule/action@statusCode", in: act(`type="CustomResponse" §`), with: "410", without: "403", want: "410.0", otherwise: "403.0"},
		{of: "rule/action@subStatusCode", in: act(`type="CustomResponse" statusCode="403" §`), with: "7", without: unset, want: "403.7", otherwise: "403.0"},
		{of: "rule/action@statusReason", in: act(`type="CustomResponse" statusCode="403" §`), with: "my reason", without: unset, see: "has my reason", want: "403.0 true", otherwise: "403.0 false"},
		{of: "rule/action@statusDescription", in: act(`type="CustomResponse" statusCode="200" §`), with: "my words", without: unset, see: "body", want: "200 my words", otherwise: "200 "},
		see(proof{of: "#remove", in: rules(`<rule name="r">` + match + rewrite + `</rule>§`), with: `<remove name="r"/>`, without: unset, want: no, otherwise: yes}),
		see(proof{of: "#clear", in: rules(`<rule name="r">` + match + rewrite + `</rule>§`), with: `<clear/>`, without: unset, want: no, otherwise: yes}),
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// status looks at the status only.
func (p proof) status() proof { p.see = ""; return p }

// aborted tells whether the host has cut the line instead of answering.
func aborted(v *variant) string {
	c, err := net.Dial("tcp", v.addr)
	if err != nil {
		v.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, "GET /a.txt HTTP/1.1\r\nHost: "+v.name+"\r\n\r\n")
	if n, _ := c.Read(make([]byte, 1)); n == 0 {
		return "cut"
	}
	return "answered"
}

func rewriteProofs() []proofs {
	maps := func(s string) string { return `<rewriteMaps>` + s + `</rewriteMaps>` }
	one := func(attributes, s string) string {
		return maps(`<rewriteMap name="m" ` + attributes + `>` + s + `</rewriteMap>`)
	}
	const k = `<add key="k" value="v"/>`
	use := func(key string) string {
		return `<rewrite><rules><rule name="r"><match url="^a"/><action type="Redirect" url="/{m:` + key + `}"/></rule></rules></rewrite>`
	}
	mapCases := []proof{
		{of: "rewriteMap@name", in: maps(`<rewriteMap §>` + k + `</rewriteMap>`), with: "m", without: "n", want: "301 /v", otherwise: "500.50 "},
		{of: "rewriteMap@defaultValue", in: one("§", ""), with: "d", without: unset, want: "301 /d", otherwise: "301 /"},
		{of: "rewriteMap@ignoreCase", in: one("§", `<add key="K" value="v"/>`), with: "false", without: unset, want: "301 /", otherwise: "301 /v"},
		{of: "rewriteMap/add@key", in: one("", `<add § value="v"/>`), with: "k", without: "l", want: "301 /v", otherwise: "301 /"},
		{of: "rewriteMap/add@value", in: one("", `<add key="k" §/>`), with: "v", without: "w", want: "301 /v", otherwise: "301 /w"},
		{of: "rewriteMap#remove", in: one("", k+"§"), with: `<remove key="k"/>`, without: unset, want: "301 /", otherwise: "301 /v"},
		{of: "rewriteMap#clear", in: one("", k+"§"), with: `<clear/>`, without: unset, want: "301 /", otherwise: "301 /v"},
		{of: "#remove", in: maps(`<rewriteMap name="m">` + k + `</rewriteMap>§`), with: `<remove name="m"/>`, without: unset, want: "500.50 ", otherwise: "301 /v"},
		{of: "#clear", in: maps(`<rewriteMap name="m">` + k + `</rewriteMap>§`), with: `<clear/>`, without: unset, want: "500.50 ", otherwise: "301 /v"},
	}
	for i := range mapCases {
		mapCases[i].see = "Location"
	}
	const set = `<rewrite><rules><rule name="r"><match url="^a"/><serverVariables><set name="HTTP_X_A" value="1"/></serverVariables></rule></rules></rewrite>`
	allow := func(s string) string { return `<allowedServerVariables>` + s + `</allowedServerVariables>` }
	return []proofs{
		{section: "system.webServer/rewrite/rules", cases: ruleProofs("rules")},
		{section: "system.webServer/rewrite/globalRules", own: true, cases: ruleProofs("globalRules")},
		{section: "system.webServer/rewrite/rewriteMaps", beside: use("k"), cases: mapCases},
		{section: "system.webServer/rewrite/allowedServerVariables", beside: set, cases: []proof{
			{of: "add@name", in: allow(`<add §/>`), with: "HTTP_X_A", without: "HTTP_X_B", want: "200", otherwise: "500.50"},
			{of: "#remove", in: allow(`<add name="HTTP_X_A"/>§`), with: `<remove name="HTTP_X_A"/>`, without: unset, want: "500.50", otherwise: "200"},
			{of: "#clear", in: allow(`<add name="HTTP_X_A"/>§`), with: `<clear/>`, without: unset, want: "500.50", otherwise: "200"},
		}},
	}
}

// ruleRefused is what is seen of rules that cannot be carried out.
const ruleRefused = "500.19"

// outHeader looks at the field of the header that the rules write.
func outHeader(of, in, with, without, want, otherwise string) proof {
	seen := func(text string) string {
		if text == ruleRefused {
			return text + " "
		}
		return "200 " + text
	}
	return proof{of: of, in: in, with: with, without: without, see: "X-A", want: seen(want), otherwise: seen(otherwise)}
}

// outPage looks at the page; want and otherwise are the tag that the rules have changed in it.
func outPage(of, in, with, without, want, otherwise string) proof {
	seen := func(tag string) string {
		if tag == ruleRefused {
			return tag
		}
		return "200 " + strings.Replace(proofPage, tag, strings.Replace(tag, "/old", "new", 1), 1)
	}
	return proof{of: of, in: in, with: with, without: without, ask: "/page.html", see: "body", want: seen(want), otherwise: seen(otherwise)}
}

func outboundProofs() []proofs {
	whole := func(s string) string { return `<outboundRules>` + s + `</outboundRules>` }
	rule := func(attributes, content string) string {
		return whole(`<rule name="r" ` + attributes + `>` + content + `</rule>`)
	}
	const header, new = `<match serverVariable="RESPONSE_X_A" pattern=".*"/>`, `<action type="Rewrite" value="new"/>`
	cond := func(attributes, conditions, value string) string {
		return rule("", header+`<conditions `+attributes+`>`+conditions+`</conditions><action type="Rewrite" value="`+value+`"/>`)
	}
	pre := func(attributes, conditions string) string {
		return whole(`<preConditions><preCondition name="p" ` + attributes + `>` + conditions + `</preCondition></preConditions><rule name="r" preCondition="p">` + header + new + `</rule>`)
	}
	tags := func(list string) string {
		return whole(`<customTags>` + list + `</customTags><rule name="r"><match filterByTags="CustomTags" customTags="t" pattern="/old"/>` + new + `</rule>`)
	}
	const link = `<tags name="t"><tag name="x-y" attribute="link"/></tags>`
	const captures = `<add input="xy" pattern="(x)"/><add input="pq" pattern="(q)"/>`
	const one, two = `<add input="x" pattern="x"/>`, `<add input="x" pattern="y"/>`
	h, p := outHeader, outPage
	const refused, url, img, custom = ruleRefused, `<a href="/old">`, `<img src="/old">`, `<x-y link="/old">`
	cases := []proof{
		h("rule@name", whole(`<rule §>`+header+new+`</rule><remove name="r"/>`), "q", "r", "new", ""),
		h("rule@preCondition", whole(`<preConditions><preCondition name="p">`+two+`</preCondition></preConditions><rule name="r" §>`+header+new+`</rule>`), "p", unset, "", "new"),
		h("rule@enabled", rule("§", header+new), "false", unset, "", "new"),
		h("rule@patternSyntax", rule("§", `<match serverVariable="RESPONSE_X_A" pattern=".*"/>`+new), "ExactMatch", unset, "", "new"),
		h("rule@stopProcessing", whole(`<rule name="r" §>`+header+new+`</rule><rule name="s">`+header+`<action type="Rewrite" value="newer"/></rule>`), "true", unset, "new", "newer"),
		p("rule/match@filterByTags", rule("", `<match pattern="/old" §/>`+new), "Img", "A", img, url),
		p("rule/match@customTags", whole(`<customTags>`+link+`<tags name="u"><tag name="img" attribute="src"/></tags></customTags><rule name="r"><match filterByTags="CustomTags" pattern="/old" §/>`+new+`</rule>`), "t", "u", custom, img),
		h("rule/match@serverVariable", rule("", `<match § pattern=".*"/>`+new), "RESPONSE_X_A", "RESPONSE_X_B", "new", ""),
		h("rule/match@pattern", rule("", `<match serverVariable="RESPONSE_X_A" §/>`+new), "^$", "^x$", "new", ""),
		{of: "rule/match@occurrences", in: rule("", `<match filterByTags="A, Img" pattern="/old" §/>`+new), with: "1", without: unset, ask: "/page.html", see: "has " + img, want: "200 true", otherwise: "200 false"},
		{of: "rule/match@ignoreCase", in: rule("", `<match serverVariable="RESPONSE_CONTENT_TYPE" pattern="TEXT" §/><action type="Rewrite" value="x/y"/>`), with: "false", without: unset, see: "Content-Type", want: "200 text/plain", otherwise: "200 x/y"},
		h("rule/match@negate", rule("", `<match serverVariable="RESPONSE_X_A" pattern="x" §/>`+new), "true", unset, "new", ""),
		h("rule/conditions@logicalGrouping", cond("§", one+two, "new"), "MatchAny", unset, "new", ""),
		h("rule/conditions@trackAllCaptures", cond("§", captures, "{C:1}-{C:2}"), "false", unset, "q-", "x-q"),
		h("rule/conditions/add@input", cond("", `<add § pattern="x"/>`, "new"), "x", "y", "new", ""),
		h("rule/conditions/add@matchType", cond("", `<add input="{REQUEST_FILENAME}" pattern="nothing" §/>`, "new"), "IsFile", unset, "new", ""),
		h("rule/conditions/add@pattern", cond("", `<add input="x" §/>`, "new"), "x", "y", "new", ""),
		h("rule/conditions/add@ignoreCase", cond("", `<add input="X" pattern="x" §/>`, "new"), "false", unset, "", "new"),
		h("rule/conditions/add@negate", cond("", `<add input="x" pattern="y" §/>`, "new"), "true", unset, "new", ""),
		h("rule/action@type", rule("", header+`<action value="new" §/>`), "Rewrite", "None", "new", ""),
		h("rule/action@value", rule("", header+`<action type="Rewrite" §/>`), "1", "2", "1", "2"),
		{of: "rule/action@replace", in: rule("", `<match serverVariable="RESPONSE_CONTENT_TYPE" pattern=".*"/><action type="Rewrite" value="x/y" §/>`), with: "false", without: unset, see: "Content-Type", want: "200 text/plain", otherwise: "200 x/y"},
		h("preConditions/preCondition@name", whole(`<preConditions><preCondition §>`+one+`</preCondition></preConditions><rule name="r" preCondition="p">`+header+new+`</rule>`), "p", "q", "new", refused),
		h("preConditions/preCondition@logicalGrouping", pre("§", one+two), "MatchAny", unset, "new", ""),
		h("preConditions/preCondition@patternSyntax", pre("§", `<add input="x" pattern="."/>`), "ExactMatch", unset, "", "new"),
		h("preConditions/preCondition/add@input", pre("", `<add § pattern="x"/>`), "x", "y", "new", ""),
		h("preConditions/preCondition/add@matchType", pre("", `<add input="{REQUEST_FILENAME}" pattern="nothing" §/>`), "IsFile", unset, "new", ""),
		h("preConditions/preCondition/add@pattern", pre("", `<add input="x" §/>`), "x", "y", "new", ""),
		h("preConditions/preCondition/add@ignoreCase", pre("", `<add input="X" pattern="x" §/>`), "false", unset, "", "new"),
		h("preConditions/preCondition/add@negate", pre("", `<add input="x" pattern="y" §/>`), "true", unset, "new", ""),
		h("preConditions#remove", whole(`<preConditions><preCondition name="p">`+one+`</preCondition>§</preConditions><rule name="r" preCondition="p">`+header+new+`</rule>`), `<remove name="p"/>`, unset, refused, "new"),
		h("preConditions#clear", whole(`<preConditions><preCondition name="p">`+one+`</preCondition>§</preConditions><rule name="r" preCondition="p">`+header+new+`</rule>`), `<clear/>`, unset, refused, "new"),
		p("customTags/tags@name", whole(`<customTags><tags §><tag name="x-y" attribute="link"/></tags><tags name="u"><tag name="img" attribute="src"/></tags></customTags><rule name="r"><match filterByTags="CustomTags" customTags="t" pattern="/old"/>`+new+`</rule>`), "t", "v", custom, refused),
		p("customTags/tags/tag@name", tags(`<tags name="t"><tag § attribute="link"/></tags>`), "x-y", "x-z", custom, ""),
		p("customTags/tags/tag@attribute", tags(`<tags name="t"><tag name="x-y" §/></tags>`), "link", "href", custom, ""),
		p("customTags/tags#remove", tags(`<tags name="t"><tag name="x-y" attribute="link"/>§</tags>`), `<remove name="x-y" attribute="link"/>`, unset, "", custom),
		p("customTags/tags#clear", tags(`<tags name="t"><tag name="x-y" attribute="link"/>§</tags>`), `<clear/>`, unset, "", custom),
		p("customTags#remove", tags(link+"§"), `<remove name="t"/>`, unset, refused, custom),
		p("customTags#clear", tags(link+"§"), `<clear/>`, unset, refused, custom),
		h("#remove", whole(`<rule name="r">`+header+new+`</rule>§`), `<remove name="r"/>`, unset, "", "new"),
		h("#clear", whole(`<rule name="r">`+header+new+`</rule>§`), `<clear/>`, unset, "", "new"),
	}
	return []proofs{{section: "system.webServer/rewrite/outboundRules", cases: cases}}
}
