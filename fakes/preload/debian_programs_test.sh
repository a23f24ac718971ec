#!/usr/bin/env bash
# debian_programs_test.sh ON_FAKE_KERNEL: runs programs of Debian that nobody thought of when on_fake_kernel was written:
# haproxy, a proxy; nginx, a web server of several processes; and ab, an HTTP load generator.
set -euo pipefail
source "$(dirname "$0")/expect.sh"

on_fake=$PWD/$1
cd "$TEST_TMPDIR"
PATH=$PATH:/usr/sbin

has haproxy haproxy || exit 0
has ab apache2-utils || exit 0
has curl curl || exit 0

# A server on port 8080, and a proxy on port 8090 in front of it.
cat > haproxy.cfg << 'END'
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
END
cat haproxy.cfg - > server.cfg << 'END'
frontend server
  bind 127.0.0.1:8080
  http-request return status 200 content-type text/plain string "from the server"
END
cat haproxy.cfg - > proxy.cfg << 'END'
frontend proxy
  bind 127.0.0.1:8090
  default_backend server
backend server
  server one 127.0.0.1:8080
END
cat > with_both << 'END'
haproxy -db -f server.cfg &
haproxy -db -f proxy.cfg &
sleep 1
eval "$1"
END

# Many connections at a time, through the proxy.
ab_result=$(printf 'Complete requests:      100\nFailed requests:        0')
expect 0 "$ab_result" "$on_fake" --shared -- sh with_both 'ab -n 100 -c 10 http://127.0.0.1:8090/'
# A connection takes a round trip, from ab to the proxy.
expect 0 "Connect:       40   40   0.0     40      40" \
  "$on_fake" --shared --link='127.0.0.1 <-> 127.0.0.1 delay=20ms' -- sh with_both 'ab -n 10 -c 2 http://127.0.0.1:8090/'
# The proxy tries again when the server refuses its first connection, and gives up when it refuses all.
get='curl -s -w " %{http_code}" http://127.0.0.1:8090/'
expect 0 "from the server 200" "$on_fake" --shared --plan='connect(*:8080)#1=ECONNREFUSED' -- sh with_both "$get"
expect 0 " 503" "$on_fake" --shared --plan='connect(*:8080)=ECONNREFUSED' -- sh with_both "$get"
# The proxy closes the connection of a client that says nothing for 30 s.
expect 0 "HTTP/1.1 408 Request Time-out" "$on_fake" --shared -- \
  sh with_both 'bash -c "exec 3<> /dev/tcp/127.0.0.1/8090; cat <&3"'
# Without --shared, a program is alone.
expect 119 "The timeout specified has expired" "$on_fake" --link='* <-> * cut' -- ab -s 30 -n 1 http://127.0.0.1:8080/

has nginx nginx-light || exit "$((failures > 0))"

# A master and two workers. The last line has the virtual time that has passed. (In Bazel's sandbox, nginx also reports that it
# must not set its groups.)
mkdir -p nginx/served
echo "from nginx" > nginx/served/file
cat > nginx/nginx.conf << 'END'
daemon off;
user root;
worker_processes 2;
pid nginx.pid;
error_log errors;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_timeout 75s;
  server { listen 127.0.0.1:8080; root served; }
}
END
cat > with_nginx << 'END'
nginx -p "$PWD/nginx" -e errors -c nginx.conf &
server=$!
sleep 1
start=$(date +%s)
eval "$1"
kill -QUIT $server
wait $server
echo "status $?, $(($(date +%s) - start)) s"
END

expect 0 "$(printf 'Complete requests:      200\nFailed requests:        0')" "$on_fake" --shared -- \
  sh with_nginx 'ab -n 200 -c 10 http://127.0.0.1:8080/file'
# A signal lets the master start new workers, which serve the second request. Another one ends all.
get='curl -s http://127.0.0.1:8080/file'
expect 0 "$(printf 'from nginx\nfrom nginx\nstatus 0, 1 s')" "$on_fake" --shared -- \
  sh with_nginx "$get; kill -HUP \$server; sleep 1; $get"
# A worker closes the connection of a client that asks no more.
cat > ask << 'END'
exec 3<> /dev/tcp/127.0.0.1/8080
printf 'GET /file HTTP/1.1\r\nHost: here\r\n\r\n' >&3
cat <&3
END
expect 0 "$(printf 'from nginx\nstatus 0, 75 s')" "$on_fake" --shared -- sh with_nginx 'bash ask'
# A worker has no descriptor for a connection. It accepts again half a second later. (nginx makes pairs of sockets first,
# which takes an accept4(2) of each.)
expect 0 "accept4() failed (24: Too many open files)" "$on_fake" --shared --plan='accept4(local=*:8080)#1=EMFILE' -- \
  sh with_nginx "$get; cat nginx/errors"

[[ $failures == 0 ]]
