#!/usr/bin/env perl
# The witness where no compiler is: the same steps as its C source, with a lock of its own by flock(2).
use strict;
use warnings;
use Fcntl qw(:flock F_SETFD FD_CLOEXEC O_RDWR O_WRONLY O_CREAT O_APPEND);
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC setitimer ITIMER_REAL sleep);

my %is_set;
my %number = ('--stop-ms' => 0, '--exit-after-ms' => -1, '--exit-code' => 0);
while (defined(my $word = shift @ARGV)) {
  if ($word =~ /^--(ignore-term|hot|disobey)$/) { $is_set{$1} = 1 }
  elsif (exists $number{$word} && @ARGV) { $number{$word} = shift @ARGV }
  else { POSIX::_exit(98) }
}
my $hot = $is_set{hot} || $is_set{disobey};

# Taken one at a time, and only while it waits for them.
my @pending;
my $all = POSIX::SigSet->new(POSIX::SIGTERM, POSIX::SIGUSR1, POSIX::SIGUSR2, POSIX::SIGALRM);
my $none = POSIX::SigSet->new();
POSIX::sigprocmask(POSIX::SIG_BLOCK, $all);
for my $name (qw(TERM USR1 USR2 ALRM)) {
  $SIG{$name} = sub { push @pending, $name };
}

my $directory = $ENV{WITNESS_DIR};
POSIX::_exit(97) unless defined $directory;
sysopen(my $lock, "$directory/witness.lock", O_RDWR | O_CREAT, 0666) or POSIX::_exit(96);
sysopen(my $log, "$directory/witness.log", O_WRONLY | O_CREAT | O_APPEND, 0666) or POSIX::_exit(96);
fcntl($_, F_SETFD, FD_CLOEXEC) for $lock, $log;

my $active = 0;
my $epoch = '0';

sub say_it {
  my ($what) = @_;
  my $line = sprintf("%s %.0f %s %d\n", $what, clock_gettime(CLOCK_MONOTONIC) * 1e9, $epoch, $$);
  my $length = syswrite($log, $line);
  POSIX::_exit(99) unless defined $length && $length == length $line;
}

sub become_active {
  my ($given) = @_;
  $epoch = defined $given && $given ne '' ? $given : '0';
  say_it(flock($lock, LOCK_EX | LOCK_NB) ? 'start' : 'overlap');
  $active = 1;
}

sub become_idle {
  say_it('end') if $active;
  $active = 0;
  flock($lock, LOCK_UN);
}

sub epoch_of_role_file {
  open(my $file, '<', $ENV{FAILOVER_ROLE_FILE} // '') or return '0';
  local $/;
  return <$file> =~ /"epoch":(\d+)/ ? $1 : '0';
}

if (!$hot || ($ENV{FAILOVER_ROLE} // '') eq 'primary') { become_active($ENV{FAILOVER_EPOCH}) }
else { say_it('standby') }

# Never 0, which would mean never.
setitimer(ITIMER_REAL, $number{'--exit-after-ms'} / 1000 || 0.000_001)
  if $number{'--exit-after-ms'} >= 0;
for (;;) {
  POSIX::sigsuspend($none) unless @pending;
  my $got = shift @pending // next;
  if ($got eq 'USR1' && $hot) { become_active(epoch_of_role_file()) }
  elsif ($got eq 'USR2' && $hot && !$is_set{disobey}) { become_idle() }
  elsif ($got eq 'TERM' && $is_set{'ignore-term'}) { say_it('ignored') }
  elsif ($got eq 'TERM') { sleep($number{'--stop-ms'} / 1000); become_idle(); exit 0 }
  elsif ($got eq 'ALRM') { become_idle(); exit $number{'--exit-code'} }
}
