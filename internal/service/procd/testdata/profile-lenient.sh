#!/bin/sh /etc/rc.common
# Made by Glidepath; install makes it anew.
# web

USE_PROCD=1
START=95
STOP=10

folder()
{
	[ -d "$1" ] && return
	mkdir -p "$1" && chmod 0700 "$1" && chown nobody "$1"
}

start_service()
{
	folder /var/lib/web
	folder /var/cache/web
	folder /var/log/web
	folder /run/web
	procd_open_instance
	procd_set_param command /usr/local/bin/web
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/web' 'CONFIGURATION_DIRECTORY=/etc/web' 'LOGS_DIRECTORY=/var/log/web' 'RUNTIME_DIRECTORY=/run/web' 'STATE_DIRECTORY=/var/lib/web'
	procd_set_param user nobody
	procd_set_param no_new_privs 1
	procd_set_param respawn 600 1 0
	procd_set_param term_timeout 35
	procd_set_param stdout 1
	procd_set_param stderr 1
	procd_close_instance
}
