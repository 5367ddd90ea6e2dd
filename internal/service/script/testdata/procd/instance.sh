#!/bin/sh /etc/rc.common
# Made by Glidepath; install overwrites it.
# web

USE_PROCD=1
START=95
STOP=10

the_name=web@eu.1
the_account=nobody
the_folders='/var/lib/web@eu.1 /var/cache/web@eu.1 /var/log/web@eu.1 /run/web@eu.1'

parameters()
{
	procd_set_param command /usr/local/bin/web
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/web@eu.1' 'CONFIGURATION_DIRECTORY=/etc/web@eu.1' 'LOGS_DIRECTORY=/var/log/web@eu.1' 'LOG_TARGET=syslog' 'RUNTIME_DIRECTORY=/run/web@eu.1' 'SERVICE_INSTANCE=eu.1' 'STATE_DIRECTORY=/var/lib/web@eu.1'
	procd_set_param user nobody
	procd_set_param no_new_privs 1
	procd_set_param respawn 600 1 0
	procd_set_param term_timeout 35
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
