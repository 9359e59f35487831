# SPDX-License-Identifier: Apache-2.0
# Completion of tocsinctl(1) for fish: the words come from tocsinctl itself, and names from the daemon.

function __tocsinctl_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] __complete -- $words[2..-1] 2>/dev/null)
        if test "$line" = @files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end

complete -c tocsinctl -f -a '(__tocsinctl_complete)'
