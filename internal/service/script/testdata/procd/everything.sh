#!/bin/sh /etc/rc.common
# Made by Glidepath; install overwrites it.
# serves what there is

USE_PROCD=1
START=95
STOP=10

the_name=my-web.d
the_account=www
the_folders='/var/lib/my-web.d /var/cache/my-web.d /var/log/my-web.d /run/my-web.d'

parameters()
{
	procd_set_param command /bin/sh -c 'umask 077; cd /srv/web && exec "$@"' my-web.d /usr/local/bin/web -addr :8080
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/my-web.d' 'CONFIGURATION_DIRECTORY=/etc/my-web.d' 'LOGS_DIRECTORY=/var/log/my-web.d' 'LOG_TARGET=syslog' 'MODE=full' 'RUNTIME_DIRECTORY=/run/my-web.d' 'STATE_DIRECTORY=/var/lib/my-web.d'
	procd_set_param user www
	procd_set_param no_new_privs 1
	procd_set_param limits 'nofile=4096 4096'
	procd_set_param respawn 600 1 0
	procd_set_param term_timeout 95
	procd_set_param stdout 1
	procd_set_param stderr 1
}

# What all scripts have in common.

# /var may be /tmp, where anybody can make a folder first, and put a link in the place of
# what root makes in it.
folder()
{
	[ -d "$1" ] && [ ! -L "$1" ] && return
	mkdir -p "${1%/*}"
	# shellcheck disable=SC2046,SC2012 # these are words, and the name is the last
	set -- "$1" $(ls -ldn "${1%/*}/.")
	[ "$4" = 0 ] && mkdir -m 0700 "$1" && chown -h "$the_account" "$1" && return
	logger -s -t "$the_name" "cannot make $1, in a folder that is root's"
	return 1
}

# /var is in memory: it is empty after each start of the machine.
start_service()
{
	for the_folder in $the_folders; do
		folder "$the_folder" || return 1
	done
	procd_open_instance
	parameters
	procd_close_instance
}

reload_service()
{
	procd_send_signal "$the_name"
}
