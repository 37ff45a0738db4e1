# Reads the colour scheme from the portal on the session bus, so many times, and says the milliseconds that one call took.
# Speaks D-Bus by hand: every Debian image has this much Perl, and a program for each call would be most of what is measured.
use strict;
use warnings;
use IO::Socket::UNIX;

my $calls = shift // 100;
my ($path) = ( $ENV{DBUS_SESSION_BUS_ADDRESS} // '' ) =~ /^unix:path=([^,;]+)/ or die "no session bus\n";
my $bus = IO::Socket::UNIX->new( Peer => $path ) or die "the session bus: $!\n";
$bus->autoflush(1);

sub padded { my ( $bytes, $to ) = @_; return $bytes . "\0" x ( -length($bytes) % $to ) }
sub text   { my ($words) = @_; return pack( 'V/a* x', $words ) }

# A header field: code, signature of its value, value.
sub field {
    my ( $code, $type, $value ) = @_;
    return pack( 'C C a x', $code, 1, $type ) . ( $type eq 'g' ? pack( 'C/a* x', $value ) : text($value) );
}

my $serial = 0;

sub call {
    my ( $to, $object, $interface, $member, @words ) = @_;
    my $body = '';
    $body = padded( $body, 4 ) . text($_) for @words;
    my @fields = ( field( 1, 'o', $object ), field( 2, 's', $interface ), field( 3, 's', $member ), field( 6, 's', $to ) );
    push @fields, field( 8, 'g', 's' x @words ) if @words;
    my $fields = '';
    $fields = padded( $fields, 8 ) . $_ for @fields;
    my $head = pack( 'a C C C V V V', 'l', 1, 0, 1, length($body), ++$serial, length($fields) );
    print {$bus} padded( $head . $fields, 8 ) . $body;
    for ( ; ; ) {
        my ( $type, $bytes ) = message();
        return $bytes if $type == 2;
        die "refused: $bytes\n" if $type == 3;
    }
}

sub message {
    my $head = bytes(16);
    my ( undef, $type, undef, undef, $body, undef, $fields ) = unpack( 'a C C C V V V', $head );
    return ( $type, bytes( $fields + ( -$fields % 8 ) + $body ) );
}

sub bytes {
    my ($count) = @_;
    my $all = '';
    while ( length($all) < $count ) {
        sysread( $bus, $all, $count - length($all), length($all) ) or die "the bus closed the connection\n";
    }
    return $all;
}

sub uptime { open my $file, '<', '/proc/uptime' or die $!; my ($seconds) = split / /, <$file>; return $seconds }

print {$bus} "\0AUTH EXTERNAL " . unpack( 'H*', $> ) . "\r\n";
my $answer = '';
sysread( $bus, $answer, 1, length($answer) ) or die "no answer\n" until $answer =~ /\r\n$/;
die "not let in: $answer" if $answer !~ /^OK /;
print {$bus} "BEGIN\r\n";
call( 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'Hello' );
my @read = (
    'org.freedesktop.portal.Desktop', '/org/freedesktop/portal/desktop',
    'org.freedesktop.portal.Settings', 'Read', 'org.freedesktop.appearance', 'color-scheme'
);
call(@read);
my $started = uptime();
call(@read) for 1 .. $calls;
printf "%.3f\n", ( uptime() - $started ) * 1000 / $calls;
