# What depends on the machine. conf/varnish/profiled.vcl includes this file; keep it readable to root and varnish only, for
# it holds a secret.

# The web server in front of profiled (not the pool's socket: that speaks FastCGI). Its configuration says
# [http] shared_cache = edge.
backend origin {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 1s;
    .first_byte_timeout = 20s;
    .between_bytes_timeout = 10s;
}

# Who may purge: where the pool runs. The listener that takes purges is one of its own, on loopback or a private address:
#   varnishd -a :80 -a purge=127.0.0.1:8443 …        and in profiled.conf: [edge] purge = http://127.0.0.1:8443
acl profiled_purgers {
    "127.0.0.1";
    "::1";
}

# edge.key of profiled.conf, between the quotes. While it is empty, no purge is taken.
sub profiled_key {
    if (req.http.Purge-Key != "") {
        return (synth(403));
    }
}
