#!/sbin/openrc-run
# Made by Glidepath; install overwrites it.
# /etc/conf.d/web stays as it is, and can set what has := here.
# Start: automatic

name=web
description=serves

# OpenRC expands these twice: quotes alone would not keep the words whole.
the_executable=/opt/web/web
the_directory=/var/lib/web
the_log=/var/log/web/web.out
the_launch='umask 0077; exec "$@"'

command=/bin/sh
command_args='-c "$the_launch" sh "$the_executable"'
directory='"$the_directory"'
output_log='"$the_log"'
error_log='"$the_log"'
command_user=web:web
supervisor=supervise-daemon
supervise_daemon_args=
: "${respawn_delay:=1}"
: "${respawn_max:=0}"
: "${retry:=SIGTERM/35/SIGKILL/5}"
: "${rc_cgroup_cleanup:=yes}"
extra_started_commands=reload

the_account=web
the_folders='/var/lib/web /var/cache/web /var/log/web /run/web'
the_disabled=
the_supervisor=yes

export CACHE_DIRECTORY=/var/cache/web
export CONFIGURATION_DIRECTORY=/etc/web
export LOGS_DIRECTORY=/var/log/web
export RUNTIME_DIRECTORY=/run/web
export STATE_DIRECTORY=/var/lib/web
: "${LOG_TARGET:=syslog}"
export LOG_TARGET

depend() {
	use logger
}

# What all scripts have in common.

start_pre() {
	if [ "$the_disabled" ]; then
		eerror "$RC_SVCNAME is disabled: install it with another start type"
		return 1
	fi
	local dir owner wanted run
	wanted=$(id -u "$the_account") || return 1
	for dir in $the_folders; do
		[ -d "$dir" ] || checkpath --directory --mode 0700 --owner "$command_user" "$dir" || return 1
		# What another account has written becomes this one's.
		owner=$(stat -c %u "$dir") || return 1
		[ "$owner" != "$wanted" ] || continue
		run=-exec # with the other, links that one of the two puts in the way lead nowhere
		! find "$dir" -prune -execdir true {} + 2>/dev/null || run=-execdir
		find "$dir" -xdev -depth -user "$owner" "$run" chown -h "$command_user" {} + || return 1
	done
}

# The process group is asked for before the stop, when its leader can still be told from
# another process of that number.
stop_pre() {
	if [ "$the_supervisor" ]; then
		the_group=$(service_get_value child_pid)
		the_parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$the_group/status" 2>/dev/null)
		if [ "$the_parent" ] && [ "$the_parent" = "$(cat "/run/supervise-$RC_SVCNAME.pid" 2>/dev/null)" ]; then
			return 0
		fi
	else
		the_group=$(cat "$pidfile" 2>/dev/null)
	fi
	case $(readlink "/proc/$the_group/exe") in
	"$(readlink -f "$the_executable")"*) ;;
	*) the_group='' ;;
	esac
	return 0
}

# What the service has left running is killed: control groups, which OpenRC would empty, are
# not everywhere.
stop_post() {
	[ -z "$the_group" ] || kill -s KILL -- "-$the_group" 2>/dev/null
	return 0
}

# OpenRC's own stop takes the command as it is in the variable.
if [ -z "$the_supervisor" ]; then
	stop() {
		ebegin "Stopping $RC_SVCNAME"
		start-stop-daemon --stop --retry "$retry" --exec "$the_executable" --pidfile "$pidfile"
		eend $? "Failed to stop $RC_SVCNAME"
	}
fi

reload() {
	ebegin "Reloading $RC_SVCNAME"
	if [ "$the_supervisor" ]; then
		supervise-daemon "$RC_SVCNAME" --signal HUP
	else
		start-stop-daemon --signal HUP --pidfile "$pidfile"
	fi
	eend $? "Failed to reload $RC_SVCNAME"
}
