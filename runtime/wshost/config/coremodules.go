package config

import "fmt"

// judgeModule says what becomes of a module that a file adds. Those of the .NET Framework name their type; the rest are
// native modules, whose names are those of IIS.
func judgeModule(attribute func(name string) string) Judgement {
	if attribute("type") != "" {
		return Judgement{NoEffect: noManagedModules}
	}
	switch name := attribute("name"); name {
	case "UriCacheModule", "FileCacheModule", "TokenCacheModule", "HttpCacheModule":
		return Judgement{NoEffect: "the caches of Windows are not needed here"}
	case "AnonymousAuthenticationModule":
		return Judgement{NoEffect: "a request without a user is served as it is"}
	default:
		return Judgement{Feature: moduleOwner(name)}
	}
}

// moduleOwner returns the feature that brings a native module of IIS, "" for a name that is none of them.
func moduleOwner(name string) string {
	switch name {
	case "ApplicationInitializationModule":
		return "application-initialization"
	case "ApplicationRequestRouting":
		return "reverse-proxy"
	case "AspNetCoreModule", "AspNetCoreModuleV2", "httpPlatformHandler", "iisnode":
		return "http-platform"
	case "BasicAuthenticationModule":
		return "basic-authentication"
	case "CertificateMappingAuthenticationModule":
		return "client-certificate-mapping"
	case "CgiModule":
		return "cgi"
	case "CustomErrorModule":
		return "http-errors"
	case "CustomLoggingModule":
		return "custom-logging"
	case "DefaultDocumentModule":
		return "default-document"
	case "DigestAuthenticationModule":
		return "digest-authentication"
	case "DirectoryListingModule":
		return "directory-browsing"
	case "DynamicCompressionModule":
		return "dynamic-compression"
	case "DynamicIpRestrictionModule", "IpRestrictionModule":
		return "ip-and-domain-restrictions"
	case "FailedRequestsTracingModule", "TracingModule":
		return "tracing"
	case "FastCgiModule":
		return "fastcgi"
	case "HttpLoggingModule":
		return "http-logging"
	case "HttpRedirectionModule":
		return "http-redirection"
	case "IISCertificateMappingAuthenticationModule":
		return "iis-client-certificate-mapping"
	case "IsapiFilterModule":
		return "isapi-filters"
	case "IsapiModule":
		return "isapi-extensions"
	case "ManagedEngine", "ManagedEngine64", "ManagedEngineV4.0_32bit", "ManagedEngineV4.0_64bit":
		return "asp-net-45"
	case "ProtocolSupportModule":
		return "web-server-core"
	case "RequestFilteringModule":
		return "request-filtering"
	case "RequestMonitorModule":
		return "request-monitor"
	case "RewriteModule":
		return "url-rewrite"
	case "ServerSideIncludeModule":
		return "server-side-includes"
	case "StaticCompressionModule":
		return "static-compression"
	case "StaticFileModule":
		return "static-content"
	case "UrlAuthorizationModule":
		return "url-authorization"
	case "WebDAVModule":
		return "webdav-publishing"
	case "WebSocketModule":
		return "websocket"
	case "WindowsAuthenticationModule":
		return "windows-authentication"
	}
	return ""
}

// moduleList is system.webServer/modules.
type moduleList struct {
	Entries []struct {
		At   Pos    `config:",pos"`
		Name string `config:"name"`
		Type string `config:"type"`
	} `config:",collection"`
}

// examineModules tells of modules that neither IIS nor this server knows.
func examineModules(e *Effective, alone bool) []Remark {
	list, err := Decode[moduleList](e, modulesPath)
	if err != nil || alone {
		return nil
	}
	var out []Remark
	for _, m := range list.Entries {
		judged := judgeModule(func(name string) string { return map[string]string{"name": m.Name, "type": m.Type}[name] })
		if judged == (Judgement{}) && !e.Has(globalModulesPath, m.Name) {
			out = append(out, Remark{At: m.At, Judgement: Judgement{Unsupported: fmt.Sprintf(
				"this server has no module %q, and the entry does nothing: take it out; what the server can have is listed by rolemgr list", m.Name)}})
		}
	}
	return out
}
