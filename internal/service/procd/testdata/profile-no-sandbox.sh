#!/bin/sh /etc/rc.common
# Made by Glidepath; install makes it anew.
# web

USE_PROCD=1
START=95
STOP=10

folder()
{
	[ -d "$1" ] && [ ! -L "$1" ] && return
	mkdir -p "${1%/*}"
	set -- "$1" $(ls -ldn "${1%/*}/.")
	[ "$4" = 0 ] && mkdir -m 0700 "$1" && chown -h nobody "$1" && return
	logger -s -t web "cannot make $1, in a folder that is root's"
	return 1
}

start_service()
{
	folder /var/lib/web || return 1
	folder /var/cache/web || return 1
	folder /var/log/web || return 1
	folder /run/web || return 1
	procd_open_instance
	procd_set_param command /usr/local/bin/web
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/web' 'CONFIGURATION_DIRECTORY=/etc/web' 'LOGS_DIRECTORY=/var/log/web' 'LOG_TARGET=syslog' 'RUNTIME_DIRECTORY=/run/web' 'STATE_DIRECTORY=/var/lib/web'
	procd_set_param user nobody
	procd_set_param no_new_privs 1
	procd_set_param respawn 600 1 0
	procd_set_param term_timeout 35
	procd_set_param stdout 1
	procd_set_param stderr 1
	procd_close_instance
}

reload_service()
{
	procd_send_signal web
}
