#!/bin/sh
# Made by Glidepath; install overwrites it.
#
# PROVIDE: web
# REQUIRE: FILESYSTEMS LOGIN
# KEYWORD: shutdown

. /etc/rc.subr

name=web
desc=web
rcvar=web_enable
load_rc_config "$name"
: "${web_enable:=NO}"

pidfile=/var/run/web.pid
childfile=/var/run/web.child.pid
budget=35
account=web
runtime=/var/run/web
launch='umask 077
export CACHE_DIRECTORY=/var/cache/web
export CONFIGURATION_DIRECTORY=/usr/local/etc/web
export LOGS_DIRECTORY=/var/log/web
export LOG_TARGET=syslog
export RUNTIME_DIRECTORY=/var/run/web
export STATE_DIRECTORY=/var/db/web
cd / || exit 1
exec "$@"'

supervise()
{
	/usr/sbin/daemon -P /var/run/web.pid -p /var/run/web.child.pid -t web -o /var/log/web.log -u web \
		/bin/sh -c "$launch" web \
		/usr/local/bin/web
}

# What all scripts have in common. It stops the service itself: daemon(8) of FreeBSD before
# 14 ends without waiting for the program, and none kills what does not stop.

procname=/usr/sbin/daemon
start_cmd=service_start
stop_cmd=service_stop
extra_commands=reload
reload_cmd=service_reload

service_start()
{
	if [ -n "$rc_pid" ]; then
		echo "${name} already running? (pid=$rc_pid)."
		return 1
	fi
	echo "Starting ${name}."
	install -d -m 0700 -o "$account" -g "$(id -gn "$account")" "$runtime" || return 1
	supervise
}

service_stop()
{
	if [ -z "$rc_pid" ]; then
		echo "${name} not running? (check $pidfile)."
		return 0
	fi
	echo "Stopping ${name}."
	child=$(cat "$childfile" 2>/dev/null)
	kill -TERM "$rc_pid"
	left=$((budget * 10))
	# shellcheck disable=SC2086 # there may be no child
	while kill -0 "$rc_pid" 2>/dev/null || kill -0 $child 2>/dev/null; do
		if [ "$left" -le 0 ]; then
			echo "${name} did not stop within ${budget} seconds: killed."
			kill -KILL $child "$rc_pid" 2>/dev/null
			rm -f "$pidfile" "$childfile"
			return 0
		fi
		left=$((left - 1))
		sleep 0.1
	done
}

service_reload()
{
	child=$(cat "$childfile" 2>/dev/null)
	if [ -z "$rc_pid" ] || [ -z "$child" ]; then
		echo "${name} not running? (check $pidfile)."
		return 1
	fi
	kill -HUP "$child"
}

run_rc_command "$1"
