package features

// security returns Security without Request Filtering.
func security() []Unit {
	const accounts = "it needs the accounts of a Windows domain"
	return []Unit{
		{
			ID: "security", Parent: "web-server-core", Kind: RoleService, Title: "Security",
			WindowsName: "Web-Security", DISMName: "IIS-Security",
			Since: "7.0", Default: true, Group: true,
			Doc: `Who may send what: request filtering, authentication, authorization, certificates.`,
		},
		{
			ID: "basic-authentication", Parent: "security", Kind: RoleService, Title: "Basic Authentication",
			WindowsName: "Web-Basic-Auth", DISMName: "IIS-BasicAuthentication",
			Since:       "7.0",
			Doc:         `Asks for a user name and a password (RFC 7617); only for use over TLS.`,
			Unavailable: later("let the application or the proxy in front authenticate"),
		},
		{
			ID: "centralized-ssl-certificates", Parent: "security", Kind: RoleService,
			Title:       "Centralized SSL Certificate Support",
			WindowsName: "Web-CertProvider", DISMName: "IIS-CertProvider",
			Since:       "8.0",
			Doc:         `Takes the certificates of many sites from one folder, by host name.`,
			Unavailable: later("sslFlags=\"2\" of a binding finds its certificate in a folder without it"),
		},
		{
			ID: "client-certificate-mapping", Parent: "security", Kind: RoleService,
			Title:       "Client Certificate Mapping Authentication",
			WindowsName: "Web-Client-Auth", DISMName: "IIS-ClientCertificateMappingAuthentication",
			Since: "7.0",
			Doc:   `Maps the certificate of a client to an account of Active Directory.`,
			Unavailable: windowsOnly("Active Directory maps the certificate to an account, and "+accounts,
				"let the proxy in front check client certificates and pass the subject on"),
		},
		{
			ID: "digest-authentication", Parent: "security", Kind: RoleService, Title: "Digest Authentication",
			WindowsName: "Web-Digest-Auth", DISMName: "IIS-DigestAuthentication",
			Since: "7.0",
			Doc:   `Checks a digest of the password with a domain controller (RFC 7616).`,
			Unavailable: windowsOnly("a Windows domain controller checks the digest, and "+accounts,
				"Basic Authentication over TLS, when a later version has it"),
		},
		{
			ID: "iis-client-certificate-mapping", Parent: "security", Kind: RoleService,
			Title:       "IIS Client Certificate Mapping Authentication",
			WindowsName: "Web-Cert-Auth", DISMName: "IIS-IISCertificateMappingAuthentication",
			Since: "7.0",
			Doc:   `Maps the certificates of clients to Windows accounts by a table in the configuration.`,
			Unavailable: windowsOnly("it logs on as a Windows account with a stored password",
				"let the proxy in front check client certificates and pass the subject on"),
		},
		{
			ID: "ip-and-domain-restrictions", Parent: "security", Kind: RoleService, Title: "IP and Domain Restrictions",
			WindowsName: "Web-IP-Security", DISMName: "IIS-IPSecurity",
			Since:       "7.0",
			Doc:         `Allows or refuses requests by the address they come from.`,
			Unavailable: later("use the firewall of the machine, or the proxy in front"),
		},
		{
			ID: "url-authorization", Parent: "security", Kind: RoleService, Title: "URL Authorization",
			WindowsName: "Web-Url-Auth", DISMName: "IIS-URLAuthorization",
			Since:       "7.0",
			Doc:         `Allows or refuses URLs by user, role and HTTP method.`,
			Unavailable: later("let the application authorize"),
		},
		{
			ID: "windows-authentication", Parent: "security", Kind: RoleService, Title: "Windows Authentication",
			WindowsName: "Web-Windows-Auth", DISMName: "IIS-WindowsAuthentication",
			Since: "7.0",
			Doc:   `Authenticates users of a Windows domain with Negotiate or NTLM.`,
			Unavailable: windowsOnly("Windows itself checks Negotiate and NTLM, and "+accounts,
				"let a proxy in front that speaks Kerberos authenticate, or use OpenID Connect in the application"),
		},
	}
}
