package all_test

import "slices"

// proxyProofs are those of <proxy> and <webFarms>: they are about what another server is asked, and need one.
func proxyProofs() []proofs {
	const proxy, farm, health, down = "features/all TestProxyAttributes", "features/all TestFarmAttributes", "features/all TestFarmHealth", "features/all TestFarmServerDown"
	by := func(test, path string, attributes ...string) (out []proof) {
		for _, a := range attributes {
			out = append(out, proof{of: path + a, by: test})
		}
		return out
	}
	protocol := []string{"@timeout", "@preserveHostHeader", "@reverseRewriteHostInResponseHeaders", "@xForwardedForHeaderName", "@includePortInXForwardedFor", "@maxForwards"}
	const routing = "webFarm/applicationRequestRouting/"
	return []proofs{
		{section: "system.webServer/proxy", cases: append(by(proxy, "", protocol...), by(proxy, "", "@enabled")...)},
		{section: "webFarms", cases: slices.Concat(
			by(farm, "", "#remove", "#clear"),
			by(farm, "webFarm", "@name", "@enabled", "#remove", "#clear"),
			by(farm, "webFarm/server", "@address", "@enabled"),
			by(farm, "webFarm/server/applicationRequestRouting", "@weight", "@httpPort"),
			by("features/reverseproxy TestSecure", "webFarm/server/applicationRequestRouting", "@httpsPort"),
			by(farm, routing+"protocol", protocol...),
			by(farm, routing+"loadBalancing", "@algorithm", "@hashServerVariable", "@queryStringNames"),
			by(farm, routing+"affinity", "@useCookie", "@cookieName"),
			by(down, routing+"affinity", "@useCookie"),
			by(health, routing+"healthCheck", "@url", "@interval", "@timeout", "@responseMatch", "@statusCodeMatch", "@minServers"),
		)},
	}
}
