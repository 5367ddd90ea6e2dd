#!/bin/sh /etc/rc.common
# Made by Glidepath; install overwrites it.
# it's -- a "web" server at 100% & <more> \ $HOME

USE_PROCD=1
START=95
STOP=10

the_name=web
the_account=nobody
the_folders='/var/lib/web /var/cache/web /var/log/web /run/web'

parameters()
{
	procd_set_param command /bin/sh -c 'umask 077; cd '\''/srv/the web & co'\'' && exec "$@"' web '/opt/mit Größe/100% '\''web'\'' $x=1' '' ' ' 'a b' '"' ''\''' 'it'\''s "so"' % %n 100% '$' '$HOME' '${HOME}' '$(id)' '`id`' '\' '\n' 'a\' '	' 'a	b' '~' '#' -n -- '*' '?' '[a]' '!' '&' '&amp;' '<x>' ']]>' '--><!--' ';' '|' 'a=b' '=' 'ü ä' '日本' '{}' '%{x}' :
	procd_set_param env 'CACHE_DIRECTORY=/var/cache/web' 'CONFIGURATION_DIRECTORY=/etc/web' 'LOGS_DIRECTORY=/var/log/web' 'LOG_TARGET=syslog' 'RUNTIME_DIRECTORY=/run/web' 'STATE_DIRECTORY=/var/lib/web' 'V00=' 'V01= ' 'V02=a b' 'V03="' 'V04='\''' 'V05=it'\''s "so"' 'V06=%' 'V07=%n' 'V08=100%' 'V09=$' 'V10=$HOME' 'V11=${HOME}' 'V12=$(id)' 'V13=`id`' 'V14=\' 'V15=\n' 'V16=a\' 'V17=	' 'V18=a	b' 'V19=~' 'V20=#' 'V21=-n' 'V22=--' 'V23=*' 'V24=?' 'V25=[a]' 'V26=!' 'V27=&' 'V28=&amp;' 'V29=<x>' 'V30=]]>' 'V31=--><!--' 'V32=;' 'V33=|' 'V34=a=b' 'V35==' 'V36=ü ä' 'V37=日本' 'V38={}' 'V39=%{x}' 'V40=:'
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
