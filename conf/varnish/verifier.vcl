# What depends on the machine, for the way vmod: the server's section [token], and where its public keys and the list of
# revocations lie. conf/varnish/pull.sh fetches both; the module reads them anew when they change.

sub vcl_init {
    new verifier = profiled.verifier(
        issuer = "https://profiles.example",            # token.issuer
        audience = "profiled",                          # token.audience; it must have one
        jwks = "/var/lib/profiled-edge/jwks.json",
        revocations = "/var/lib/profiled-edge/revocations.jwt",
        leeway = 30s,                                   # token.leeway
        max_ttl = 30d,                                  # token.max_ttl, 0s for none
        max_lag = 30s,                                  # edge.revocation_max_lag
        tokens = 65536);                                # how many are remembered; 256 bytes each

    # A foreign issuer, a line for each section [issuer NAME]:
    # verifier.issuer("partner", "https://login.partner.example", "/var/lib/profiled-edge/partner.json",
    #     audience = "profiled", scopes = "profile:read", subject_prefix = "partner:");
}
