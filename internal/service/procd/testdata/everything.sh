#!/bin/sh /etc/rc.common
# Made by Glidepath; install makes it anew.
# serves what there is

USE_PROCD=1
START=95
STOP=10

folder()
{
	[ -d "$1" ] && [ ! -L "$1" ] && return
	mkdir -p "${1%/*}"
	set -- "$1" $(ls -ldn "${1%/*}/.")
	[ "$4" = 0 ] && mkdir -m 0700 "$1" && chown -h www "$1" && return
	logger -s -t my-web.d "cannot make $1, in a folder that is root's"
	return 1
}

start_service()
{
	folder /var/lib/my-web.d || return 1
	folder /var/cache/my-web.d || return 1
	folder /var/log/my-web.d || return 1
	folder /run/my-web.d || return 1
	procd_open_instance
	procd_set_param command /bin/sh -c 'umask 077; cd /srv/web && exec "$@"' my-web.d /usr/local/bin/web -addr :8080
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/my-web.d' 'CONFIGURATION_DIRECTORY=/etc/my-web.d' 'LOGS_DIRECTORY=/var/log/my-web.d' 'LOG_TARGET=syslog' 'MODE=full' 'RUNTIME_DIRECTORY=/run/my-web.d' 'STATE_DIRECTORY=/var/lib/my-web.d'
	procd_set_param user www
	procd_set_param no_new_privs 1
	procd_set_param limits 'nofile=4096 4096'
	procd_set_param respawn 600 1 0
	procd_set_param term_timeout 95
	procd_set_param stdout 1
	procd_set_param stderr 1
	procd_close_instance
}

reload_service()
{
	procd_send_signal my-web.d
}
