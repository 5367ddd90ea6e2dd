#!/bin/sh
# Made by Glidepath; install makes it anew.
#
# PROVIDE: my_web_d
# REQUIRE: FILESYSTEMS LOGIN NETWORKING db
# KEYWORD: shutdown

. /etc/rc.subr

name=my_web_d
desc='serves what there is'
rcvar=my_web_d_enable
load_rc_config "$name"
: "${my_web_d_enable:=NO}"

pidfile=/var/run/my-web.d.pid
childfile=/var/run/my-web.d.child.pid
procname=/usr/sbin/daemon
budget=95
start_cmd=my_web_d_start
stop_cmd=my_web_d_stop
extra_commands=reload
reload_cmd=my_web_d_reload

launch='umask 077
ulimit -n 4096 || exit 1
export CACHE_DIRECTORY=/var/cache/my-web.d
export CONFIGURATION_DIRECTORY=/usr/local/etc/my-web.d
export LOGS_DIRECTORY=/var/log/my-web.d
export LOG_TARGET=syslog
export MODE=full
export RUNTIME_DIRECTORY=/var/run/my-web.d
export STATE_DIRECTORY=/var/db/my-web.d
cd /srv/web || exit 1
exec "$@"'

my_web_d_start()
{
	if [ -n "$rc_pid" ]; then
		echo "${name} already running? (pid=$rc_pid)."
		return 1
	fi
	echo "Starting ${name}."
	install -d -m 0700 -o www -g "$(id -gn www)" /var/run/my-web.d || return 1
	/usr/sbin/daemon -P /var/run/my-web.d.pid -p /var/run/my-web.d.child.pid -t my-web.d -o /var/log/my-web.d.log -R 1 -u www \
		/bin/sh -c "$launch" my-web.d \
		/usr/local/bin/web -addr :8080
}

my_web_d_stop()
{
	if [ -z "$rc_pid" ]; then
		echo "${name} not running? (check $pidfile)."
		return 0
	fi
	echo "Stopping ${name}."
	child=$(cat "$childfile" 2>/dev/null)
	kill -TERM "$rc_pid"
	left=$((budget * 10))
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

my_web_d_reload()
{
	child=$(cat "$childfile" 2>/dev/null)
	if [ -z "$rc_pid" ] || [ -z "$child" ]; then
	echo "${name} not running? (check $pidfile)."
	return 1
	fi
	kill -HUP "$child"
}

run_rc_command "$1"
